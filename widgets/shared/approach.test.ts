import { describe, expect, it } from 'vitest';
import { onTheWay, type Place } from './approach';

const ALL: Place = [6000, 6000, 20_000];
const NUCLEUS: Place = [900, 2000, 400];

describe('the way from the whole panorama to a nucleus', () => {
  it('begins with all of it, and is over within six seconds', () => {
    expect(onTheWay(ALL, NUCLEUS, 0)).toEqual(ALL);
    expect(onTheWay(ALL, NUCLEUS, 6000)).toBeNull();
  });

  it('only ever zooms in, and keeps the nucleus in view', () => {
    let width = Number.POSITIVE_INFINITY;
    for (let ms = 0; ms < 6000; ms += 50) {
      const view = onTheWay(ALL, NUCLEUS, ms) ?? NUCLEUS;
      expect(view[2]).toBeLessThanOrEqual(width);
      expect(Math.abs(view[0] - NUCLEUS[0])).toBeLessThanOrEqual(view[2] / 2);
      width = view[2];
    }
    expect(width).toBe(NUCLEUS[2]);
  });

  it('moves where there is nothing to zoom', () => {
    const [x] = onTheWay([0, 0, 100], [50, 0, 100], 3000) ?? [];
    expect(x).toBeCloseTo(25);
  });
});
