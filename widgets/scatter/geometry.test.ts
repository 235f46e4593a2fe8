import { describe, expect, it } from 'vitest';
import { isInside } from '../shared/polygon';
import type { Place } from './axes';
import { nearest, nearestTowards, placeLabels, simplified, type Places } from './geometry';

const placesOf = (...all: [number, number][]): Places => ({
  x: Float64Array.from(all, ([x]) => x),
  y: Float64Array.from(all, ([, y]) => y),
});
const FRAME = { left: 0, top: 0, width: 400, height: 400 };

describe('the nearest point', () => {
  const places = placesOf([0, 0], [10, 0], [10, 0], [100, 100]);

  it('is within the limit, and the one on top of those that coincide', () => {
    expect(nearest(places, { x: 1, y: 1 }, 5)).toBe(0);
    expect(nearest(places, { x: 9, y: 0 }, 5)).toBe(2);
    expect(nearest(places, { x: 50, y: 50 }, 5)).toBe(-1);
  });

  it('is in the direction of the key', () => {
    const cross = placesOf([0, 0], [10, 2], [4, 9], [-3, 0], [0, -8], [5, -50]);
    const to = (x: number, y: number) => nearestTowards(cross, 0, { x, y });
    expect([to(1, 0), to(0, 1), to(-1, 0), to(0, -1)]).toEqual([1, 2, 3, 4]);
    expect(nearestTowards(cross, 1, { x: 1, y: 0 })).toBe(-1);
  });
});

describe('a lasso', () => {
  it('becomes shorter without leaving its path', () => {
    const circle = Array.from({ length: 361 }, (_, at): Place => ({ x: 100 * Math.cos(at / 57.3), y: 100 * Math.sin(at / 57.3) }));
    const short = simplified(circle, 1);
    expect(short.length).toBeLessThan(45);
    const polygon = short.map(({ x, y }): [number, number] => [x, y]);
    for (let angle = 0; angle < 6.2; angle += 0.05) {
      expect(isInside(polygon, 97 * Math.cos(angle), 97 * Math.sin(angle))).toBe(true);
      expect(isInside(polygon, 102 * Math.cos(angle), 102 * Math.sin(angle))).toBe(false);
    }
  });
});

describe('labels', () => {
  it('do not cover each other, however close their points are', () => {
    const labels = Array.from({ length: 10 }, (_, at) => ({ at: { x: 200 + at, y: 200 - at }, width: 20, height: 16 }));
    const boxes = placeLabels(labels, { x: 200, y: 200 }, [{ x: 200, y: 200, width: 18, height: 18 }], FRAME);
    expect(boxes).not.toContain(null);
    boxes.forEach((a, one) => {
      boxes.slice(one + 1).forEach((b) => {
        expect(a && b && (Math.abs(a.x - b.x) >= 20 || Math.abs(a.y - b.y) >= 16)).toBe(true);
      });
    });
  });

  it('stay inside the frame, or are left out', () => {
    const [box] = placeLabels([{ at: { x: 1, y: 1 }, width: 60, height: 16 }], { x: 200, y: 200 }, [], FRAME);
    expect(box && box.x >= 30 && box.y >= 8).toBe(true);
    const everything = { x: 200, y: 200, width: 400, height: 400 };
    expect(placeLabels([{ at: { x: 200, y: 200 }, width: 60, height: 16 }], { x: 0, y: 0 }, [everything], FRAME)).toEqual([null]);
  });
});
