import { describe, expect, it } from 'vitest';
import { binnedPoints } from './density';

const FRAME = { left: 10, top: 20, width: 6, height: 6 };
const PLACES = { x: Float64Array.of(10, 12.9, 13, 15.9, 9.9, 16.1), y: Float64Array.of(20, 22.9, 23, 25.9, 21, 21) };

describe('points in squares', () => {
  it('are counted where they are, and not beside the frame', () => {
    const { columns, rows, counts, inside, sums } = binnedPoints(PLACES, Uint8Array.of(2, 4, 6, 10, 9, 9), null, FRAME, 3);
    expect([columns, rows]).toEqual([2, 2]);
    expect([...counts]).toEqual([2, 0, 0, 2]);
    expect(inside).toBe(counts);
    expect([...sums]).toEqual([6, 0, 0, 16]);
  });

  it('are counted apart where they are inside the lasso', () => {
    const { counts, inside, sums } = binnedPoints(PLACES, Uint8Array.of(2, 4, 6, 10, 9, 9), Uint8Array.of(1, 0, 1, 1, 1, 1), FRAME, 3);
    expect([...counts]).toEqual([2, 0, 0, 2]);
    expect([...inside]).toEqual([1, 0, 0, 2]);
    expect([...sums]).toEqual([2, 0, 0, 16]);
  });
});
