import { describe, expect, it } from 'vitest';
import { mostAlike } from './likeness';

const AREA = Float32Array.of(100, 110, 300, 101, Number.NaN, 100);
const MEAN = Float32Array.of(50, 50, 50, 90, 50, 51);

describe('the cells most like one', () => {
  it('are the nearest by measurements of which none counts for more than another, itself first', () => {
    expect(mostAlike(0, [AREA, MEAN], 3)).toEqual([0, 5, 1]);
    // A thousand times larger numbers are no larger differences.
    expect(mostAlike(0, [AREA, MEAN.map((value) => 1000 * value)], 3)).toEqual([0, 5, 1]);
  });

  it('are never more than there are, nor such that lack a measurement', () => {
    expect(mostAlike(2, [AREA, MEAN], 99)).toEqual([2, 1, 0, 5, 3]);
    expect(mostAlike(4, [AREA, MEAN], 99)).toEqual([]);
    expect(mostAlike(0, [], 5)).toEqual([]);
  });

  it('are all that are the same where a measurement is', () => {
    expect(mostAlike(1, [Float32Array.of(7, 7, 7)], 2)).toEqual([1, 0]);
  });
});
