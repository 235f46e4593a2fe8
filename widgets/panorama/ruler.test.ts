import { describe, expect, it } from 'vitest';
import { lengthOf } from './ruler';

describe('lengthOf', () => {
  it('is in micrometres and pixels, or pixels alone', () => {
    expect(lengthOf([0, 0, 30, 40], 8)).toBe('6.25 µm (50.0 px)');
    expect(lengthOf([100, 100, 100, 900], 8)).toBe('100.0 µm (800 px)');
    expect(lengthOf([0, 0, 20_000, 0], 8)).toBe('2,500 µm (20,000 px)');
    expect(lengthOf([0, 0, 30, 40], null)).toBe('50.0 px');
  });
});
