import { describe, expect, it } from 'vitest';
import { nextMistake, parseMistakes } from './mistakes';

const text = JSON.stringify({
  columns: { kind: ['missed', 'spurious', 'missed', 'odd'], label: [3, 4, 5, 6], x_px: [10, 20, 30, 40], y_px: [90, 20, 10, 0] },
});

describe('mistakes', () => {
  it('are read where they are of a known kind', () => {
    expect(parseMistakes(text)).toHaveLength(3);
    expect(parseMistakes('{}')).toEqual([]);
  });

  it('are gone through from the top, around to the first', () => {
    const all = parseMistakes(text);
    const first = nextMistake(all, 'missed', null);
    const second = nextMistake(all, 'missed', first);
    expect([first?.label, second?.label, nextMistake(all, 'missed', second)?.label]).toEqual([5, 3, 5]);
    expect(nextMistake(all, 'split', null)).toBeNull();
  });
});
