import { describe, expect, it } from 'vitest';
import type { ListedPanorama } from '../shared/panoramalist';
import { selectedCells, type Known } from './brush';

const panorama = (rois: number | null, mean: number | null) => ({ rois, mean }) as ListedPanorama;
const KNOWN: Known = {
  columns: new Map([
    ['area_um2', Float32Array.of(50, 150, 150, Number.NaN)],
    ['mean_intensity', Float32Array.of(20, 20, 90, 20)],
  ]),
  panoramas: { names: ['a', 'b'], codes: Uint16Array.of(1, 1, 2, 0) },
  listed: new Map([['a', panorama(10, 30)], ['b', panorama(90, 30)], ['c', panorama(5, null)]]),
};
const GATE = 'area_um2,mean_intensity;100,0;200,0;200,100;100,100';
const LASSO: [number, number][] = [[0, 0], [50, 0], [50, 50], [0, 50]];

describe('what is selected elsewhere on a page', () => {
  const selected = (lasso: [number, number][] | null, gate: string | null) => selectedCells(4, { lasso, gate }, KNOWN);

  it('are the cells whose measurements are inside the lasso round nuclei', () => {
    expect([...(selected(null, GATE) ?? [])]).toEqual([0, 1, 1, 0]);
  });

  it('are the cells of panoramas inside the lasso round those', () => {
    expect([...(selected(LASSO, null) ?? [])]).toEqual([1, 1, 0, 0]);
  });

  it('are those inside both, and all without either', () => {
    expect([...(selected(LASSO, GATE) ?? [])]).toEqual([0, 1, 0, 0]);
    expect(selected(null, null)).toBeNull();
  });
});
