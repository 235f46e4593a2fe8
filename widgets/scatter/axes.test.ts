import { describe, expect, it } from 'vitest';
import { confined, homeAxes, isHome, moved, shortened, ticks, toData, toPixels, zoomed, type Axes } from './axes';

const HOME: Axes = { x0: 0, x1: 100, y0: 0, y1: 200 };
const FRAME = { left: 40, top: 10, width: 500, height: 400 };
const inside = ({ x0, x1, y0, y1 }: Axes) => x0 >= HOME.x0 && x1 <= HOME.x1 && y0 >= HOME.y0 && y1 <= HOME.y1;

describe('the part of the plane that is shown', () => {
  it('holds all points with a margin, also where they are one or none', () => {
    expect(homeAxes({ x: [10, 30], y: [1, 3] })).toEqual({ x0: 9, x1: 31, y0: 0.9, y1: 3.1 });
    const one = homeAxes({ x: [10], y: [0] });
    expect(one.x0 < 10 && one.x1 > 10 && one.y0 < 0 && one.y1 > 0).toBe(true);
    expect(homeAxes({ x: [], y: [] })).toEqual({ x0: 0, x1: 1, y0: 0, y1: 1 });
  });

  it('goes to pixels and back, upwards being brighter', () => {
    expect(toPixels(HOME, FRAME, { x: 0, y: 200 })).toEqual({ x: 40, y: 10 });
    expect(toPixels(HOME, FRAME, { x: 100, y: 0 })).toEqual({ x: 540, y: 410 });
    expect(toData(HOME, FRAME, toPixels(HOME, FRAME, { x: 30, y: 70 }))).toEqual({ x: 30, y: 70 });
  });

  it('keeps in its place what is zoomed about', () => {
    const about = { x: 30, y: 120 };
    const before = toPixels(HOME, FRAME, about);
    const after = toPixels(zoomed(HOME, HOME, 1.6, about), FRAME, about);
    expect(after.x).toBeCloseTo(before.x, 6);
    expect(after.y).toBeCloseTo(before.y, 6);
  });

  it('never leaves home, nor gets too small to be looked at', () => {
    let axes = HOME;
    for (const factor of [1.6, 1e9, 1e9, 0.5, 3]) {
      axes = moved(zoomed(axes, HOME, factor, { x: 99, y: 1 }), HOME, 40, -70);
      expect(inside(axes)).toBe(true);
      expect(axes.x1 - axes.x0).toBeGreaterThan(0.2);
    }
    expect(isHome(zoomed(axes, HOME, 1e-9, { x: 50, y: 50 }), HOME)).toBe(true);
    expect(inside(confined({ x0: -1e12, x1: -1e11, y0: 5, y1: 5.0001 }, HOME))).toBe(true);
  });
});

describe('ticks', () => {
  it('are round, within the ends, and no more than asked for', () => {
    expect(ticks(0, 100, 5)).toEqual({ values: [0, 20, 40, 60, 80, 100], digits: 0 });
    expect(ticks(9.2, 31.7, 4).values).toEqual([10, 20, 30]);
    expect(ticks(-10, 100, 3).values).toEqual([0, 50, 100]); // no minus zero
    const { values, digits } = ticks(0.013, 0.071, 6);
    expect(values.map((value) => value.toFixed(digits))).toEqual(['0.02', '0.03', '0.04', '0.05', '0.06', '0.07']);
  });
});

describe('a value for the address', () => {
  it('has the digits that a quarter of a pixel needs', () => {
    expect(shortened(123.456789, 1)).toBe(123.5);
    expect(shortened(123.456789, 0.01)).toBe(123.457);
    expect(shortened(1234.6, 100)).toBe(1235);
  });
});
