import { describe, expect, it } from 'vitest';
import type { Nucleus } from './masks';
import { planeOf, titleOf, valueOf } from './measures';

const NUCLEUS: Nucleus = { roi: 3, area: 400, left: 10, top: 20, width: 24, height: 30, x: 21.5, y: 34, mean: 120, sd: 9, confidence: 0.9 };
const DRAWN: Nucleus = { ...NUCLEUS, roi: 4, area: 100, confidence: null };

describe('measures of nuclei', () => {
  it('have the unit that their title names', () => {
    expect([titleOf('area', null), valueOf(NUCLEUS, 'area', null)]).toEqual(['Area (px²)', 400]);
    expect([titleOf('area', 2), valueOf(NUCLEUS, 'area', 2)]).toEqual(['Area (µm²)', 100]);
    expect([titleOf('width', 4), valueOf(NUCLEUS, 'width', 4)]).toEqual(['Width (µm)', 6]);
    expect([titleOf('mean', 4), valueOf(NUCLEUS, 'mean', 4)]).toEqual(['Mean intensity (grey levels)', 120]);
    expect([titleOf('confidence', 4), valueOf(NUCLEUS, 'confidence', 4)]).toEqual(['Confidence', 0.9]);
  });

  it('put only nuclei into the plane that have both values', () => {
    const all = planeOf([NUCLEUS, DRAWN], 'area', 'mean', null);
    expect(all.nuclei.map(({ roi }) => roi)).toEqual([3, 4]);
    expect([...all.points.x]).toEqual([400, 100]);
    const sure = planeOf([DRAWN, NUCLEUS], 'area', 'confidence', 2);
    expect(sure.nuclei.map(({ roi }) => roi)).toEqual([3]);
    expect([[...sure.points.x], [...sure.points.y]]).toEqual([[100], [0.9]]);
  });
});
