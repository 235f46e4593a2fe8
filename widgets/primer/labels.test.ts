import { describe, expect, it } from 'vitest';
import { components, parts } from './labels';

const MASK = { width: 4, height: 3, values: [1, 1, 0, 2, 1, 0, 0, 2, 0, 0, 2, 2] };

describe('parts of a mask', () => {
  it('are one where they touch by a side, and not across the edge of the image', () => {
    const { labels, count } = components({ ...MASK, values: MASK.values.map((label) => Math.min(label, 1)) });
    expect(count).toBe(2);
    expect([...labels]).toEqual([1, 1, 0, 2, 1, 0, 0, 2, 0, 0, 2, 2]);
  });

  it('have an area, a box and a centre', () => {
    expect(parts(MASK)).toMatchObject([
      { label: 1, area: 3, left: 0, top: 0, width: 2, height: 2 },
      { label: 2, area: 4, left: 2, top: 0, width: 2, height: 3, x: 3.25 },
    ]);
  });
});
