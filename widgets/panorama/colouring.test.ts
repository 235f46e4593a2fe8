import { describe, expect, it } from 'vitest';
import { colourNeighbours, findDiscs } from './colouring';
import { colourIndex } from './palette';

/** Touching discs on a grid, numbered in an order that has nothing to do with their places. */
function grid(side: number) {
  const count = side * side;
  return Array.from({ length: count }, (_, at) => ({ label: 1 + ((at * 7919) % count), x: 10 * (at % side), y: 10 * Math.floor(at / side), radius: 5 }));
}

describe('colours of neighbours', () => {
  it('differ, though labels on their own would often share one', () => {
    const discs = grid(23);
    const sorted = [...discs].sort((a, b) => a.label - b.label);
    const colours = colourNeighbours(sorted);
    let own = 0;
    for (const a of discs) {
      for (const b of discs) {
        if (a.label >= b.label || Math.hypot(a.x - b.x, a.y - b.y) > 15) continue;
        expect(colours.get(a.label)).not.toBe(colours.get(b.label));
        own += colourIndex(a.label) === colourIndex(b.label) ? 1 : 0;
      }
    }
    expect(own).toBeGreaterThan(20);
  });

  it('are the same each time, and those of its own for a lonely nucleus', () => {
    const discs = findDiscs({ width: 4, height: 2, labels: Uint32Array.from([7, 7, 0, 0, 7, 7, 0, 900]) });
    expect(discs.map(({ label, x, y }) => [label, x, y])).toEqual([
      [7, 0.5, 0.5],
      [900, 3, 1],
    ]);
    const colours = colourNeighbours(discs);
    expect(colours).toEqual(colourNeighbours(discs));
    expect(colourNeighbours([{ label: 31, x: 0, y: 0, radius: 3 }]).get(31)).toBe(colourIndex(31));
  });
});
