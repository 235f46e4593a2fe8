import { describe, expect, it } from 'vitest';
import { countLevels, descend, gradient, loss, placeOf, probability } from './threshold';

const LEVELS = countLevels([10, 20, 20, 90, 120, 60], [0, 0, 0, 1, 1, 0]);
const BOUNDS = { low: placeOf(0, 2), high: placeOf(192, 64) };

describe('a soft threshold', () => {
  it('is even odds at the threshold', () => {
    expect(probability(75, placeOf(75, 8))).toBeCloseTo(0.5);
  });

  it('has the loss of a coin where it is very soft, and nearly none where it parts the two', () => {
    expect(loss(LEVELS, placeOf(75, 2 ** 20))).toBeCloseTo(Math.LN2, 3);
    expect(loss(LEVELS, placeOf(75, 2))).toBeLessThan(0.001);
  });

  it('has the gradient that differences give', () => {
    const place = placeOf(50, 20);
    const by = 1e-5;
    const slope = gradient(LEVELS, place);
    expect(slope.threshold).toBeCloseTo((loss(LEVELS, { ...place, threshold: place.threshold + by }) - loss(LEVELS, place)) / by, 4);
    expect(slope.softness).toBeCloseTo((loss(LEVELS, { ...place, softness: place.softness + by }) - loss(LEVELS, place)) / by, 4);
  });
});

describe('a descent', () => {
  it('goes downhill at a small learning rate, and stays within bounds at any', () => {
    const start = placeOf(140, 45);
    const losses = descend(LEVELS, start, 0.2, 20, BOUNDS).map((place) => loss(LEVELS, place));
    expect(losses).toHaveLength(21);
    expect(losses.slice(1).every((value, at) => value < (losses[at] ?? 0))).toBe(true);
    for (const { threshold, softness } of descend(LEVELS, start, 1000, 20, BOUNDS)) {
      expect(threshold).toBeGreaterThanOrEqual(BOUNDS.low.threshold);
      expect(softness).toBeLessThanOrEqual(BOUNDS.high.softness);
    }
  });
});
