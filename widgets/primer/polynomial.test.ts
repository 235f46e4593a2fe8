import { describe, expect, it } from 'vitest';
import { error, fit } from './polynomial';

const POINTS = [0, 1, 2, 4, 5, 7, 9, 10, 12, 15].map((x) => [x, 3 * Math.sin(x) + x] as const);

describe('a polynomial', () => {
  it('of degree 0 is the mean, of degree 1 the line of least squares', () => {
    expect(fit([[0, 1], [10, 5]], 0, [0, 10]).at(3)).toBeCloseTo(3);
    const line = fit([[0, 0], [1, 2], [2, 1]], 1, [0, 2]);
    expect(line.at(0)).toBeCloseTo(0.5);
    expect(line.at(2)).toBeCloseTo(1.5);
  });

  it('of degree 9 goes through ten points, and its error never rises with the degree', () => {
    const errors = Array.from({ length: 10 }, (_, degree) => error(fit(POINTS, degree, [0, 15]), POINTS));
    expect(errors[9]).toBeLessThan(1e-8);
    errors.slice(1).forEach((value, at) => { expect(value).toBeLessThanOrEqual((errors[at] ?? 0) + 1e-9); });
  });
});
