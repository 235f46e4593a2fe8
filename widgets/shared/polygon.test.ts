import { describe, expect, it } from 'vitest';
import { allInside, isInside, type Polygon } from './polygon';

const NOTCHED: Polygon = [[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]];

describe('a polygon', () => {
  it('holds what is inside, not what is in its notch', () => {
    expect(isInside(NOTCHED, 1, 5)).toBe(true);
    expect(isInside(NOTCHED, 5, 1)).toBe(true);
    expect(isInside(NOTCHED, 5, 8)).toBe(false);
    expect(isInside(NOTCHED, 11, 5)).toBe(false);
    expect(isInside([], 0, 0)).toBe(false);
  });

  it('holds the same of columns, and nothing without a value', () => {
    expect([...allInside(NOTCHED, [1, 5, 5, 11, Number.NaN], [5, 1, 8, 5, 5])]).toEqual([1, 1, 0, 0, 0]);
  });
});
