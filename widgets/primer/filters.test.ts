import { describe, expect, it } from 'vitest';
import { convolve, pool, under } from './filters';

const STEP = { width: 4, height: 3, values: [0, 0, 9, 9, 0, 0, 9, 9, 0, 0, 9, 9] };

describe('a convolution', () => {
  it('is the sum of nine pixels times their weights, with the kernel as it is written', () => {
    const edges = convolve(STEP, [-1, 0, 1, -2, 0, 2, -1, 0, 1]);
    expect([...edges.slice(4, 8)]).toEqual([0, 36, 36, -36]);
  });

  it('counts what is beyond the edge as 0', () => {
    expect(under(STEP, 3, 0)).toEqual([0, 0, 0, 9, 9, 0, 9, 9, 0]);
  });

  it('is 0 where an activation follows and it was below', () => {
    expect(Math.min(...convolve(STEP, [-1, 0, 1, -2, 0, 2, -1, 0, 1], true))).toBe(0);
  });
});

describe('pooling', () => {
  it('keeps one number of each block, and drops the row that is left over', () => {
    const image = { width: 4, height: 3, values: [1, 2, 5, 6, 3, 4, 7, 0, 8, 8, 8, 8] };
    expect([...Array.from(pool(image, 'brightest').values)]).toEqual([4, 7]);
    expect([...Array.from(pool(image, 'mean').values)]).toEqual([2.5, 4.5]);
    expect([...Array.from(pool(image, 'first').values)]).toEqual([1, 5]);
    expect(pool(image, 'mean')).toMatchObject({ width: 2, height: 1 });
  });
});
