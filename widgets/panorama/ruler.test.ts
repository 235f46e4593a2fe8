import { describe, expect, it } from 'vitest';
import { distanceToLine, labelPlace, lengthOf } from './ruler';

describe('lengthOf', () => {
  it('is in micrometres and pixels, or pixels alone', () => {
    expect(lengthOf([0, 0, 30, 40], 8)).toBe('6.25 µm (50.0 px)');
    expect(lengthOf([100, 100, 100, 900], 8)).toBe('100.0 µm (800 px)');
    expect(lengthOf([0, 0, 20_000, 0], 8)).toBe('2,500 µm (20,000 px)');
    expect(lengthOf([0, 0, 30, 40], null)).toBe('50.0 px');
  });
});

describe('labelPlace', () => {
  const [label, area] = [{ width: 150, height: 21 }, { width: 800, height: 600 }];
  const distanceToLabel = (a: { x: number; y: number }, b: { x: number; y: number }) => {
    const { x, y } = labelPlace(a, b, label, area, 10);
    return Math.min(
      ...Array.from({ length: 201 }, (_, at) => {
        const [dx, dy] = [a.x + ((b.x - a.x) * at) / 200 - x, a.y + ((b.y - a.y) * at) / 200 - y];
        return Math.hypot(Math.max(0, Math.abs(dx) - label.width / 2), Math.max(0, Math.abs(dy) - label.height / 2));
      }),
    );
  };

  it('is clear of the line whatever its slope, and above it', () => {
    for (let degrees = 0; degrees < 360; degrees += 15) {
      const [dx, dy] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
      for (const half of [15, 150]) {
        const [a, b] = [{ x: 400 - half * dx, y: 300 - half * dy }, { x: 400 + half * dx, y: 300 + half * dy }];
        expect(distanceToLabel(a, b)).toBeGreaterThan(9.5);
        expect(labelPlace(a, b, label, area, 10).y).toBeLessThan(300.001);
      }
    }
  });

  it('is below a line that has no room above', () => {
    expect(labelPlace({ x: 300, y: 12 }, { x: 500, y: 12 }, label, area, 10).y).toBeGreaterThan(30);
  });
});

describe('distanceToLine', () => {
  it('is measured from the line between its ends', () => {
    const [a, b] = [{ x: 0, y: 0 }, { x: 10, y: 0 }];
    expect(distanceToLine({ x: 5, y: 3 }, a, b)).toBe(3);
    expect(distanceToLine({ x: 13, y: 4 }, a, b)).toBe(5);
    expect(distanceToLine({ x: 3, y: 4 }, a, a)).toBe(5);
  });
});
