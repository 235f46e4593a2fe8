import { describe, expect, it } from 'vitest';
import { lengthText, scaleLength } from './scalebar';

describe('scaleLength', () => {
  it.each([
    // pixels a micrometre, room, micrometres, text
    [8.0453, 160, 10, '10 µm'],
    [1, 100, 100, '100 µm'],
    [1, 99, 50, '50 µm'],
    [0.0455, 160, 2000, '2 mm'],
    [96.5, 160, 1, '1 µm'],
    [400, 160, 0.2, '200 nm'],
  ])('at %d px a micrometre and %d px of room is %d um', (scale, room, micrometres, text) => {
    const length = scaleLength(scale, room);
    expect(length.micrometres).toBeCloseTo(micrometres, 9);
    expect(length.text).toBe(text);
    expect(length.pixels).toBeCloseTo(micrometres * scale, 6);
  });

  it('uses at least two fifths of the room and never more than all of it', () => {
    for (let scale = 0.001; scale < 1000; scale *= 1.07) {
      const { pixels } = scaleLength(scale, 160);
      expect(pixels).toBeLessThanOrEqual(160.001);
      expect(pixels).toBeGreaterThan(63.9);
    }
  });
});

describe('lengthText', () => {
  it('has three digits and a fitting unit', () => {
    expect(lengthText(1527.35)).toBe('1.53 mm');
    expect(lengthText(254.558)).toBe('255 µm');
    expect(lengthText(0.5)).toBe('500 nm');
  });
});
