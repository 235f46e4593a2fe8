import { describe, expect, it } from 'vitest';
import type { ListedPanorama } from './panoramalist';
import { decidingColumns, measuredColumns, selectedNuclei, type Known } from './brush';

const panorama = (rois: number | null, mean: number | null) => ({ rois, mean }) as ListedPanorama;
const KNOWN: Known = {
  columns: new Map([
    ['area_um2', Float32Array.of(50, 150, 150, Number.NaN)],
    ['mean_intensity', Float32Array.of(20, 20, 90, 20)],
  ]),
  kinds: { names: ['telophase', 'interphase'], codes: Uint16Array.of(2, 1, 2, 0) },
  panoramas: { names: ['a', 'b'], codes: Uint16Array.of(1, 1, 2, 0) },
  listed: new Map([['a', panorama(10, 30)], ['b', panorama(90, 30)], ['c', panorama(5, null)]]),
};
const GATE = 'area_um2,mean_intensity;100,0;200,0;200,100;100,100';
const LASSO: [number, number][] = [[0, 0], [50, 0], [50, 50], [0, 50]];

describe('what is selected elsewhere on a page', () => {
  const selected = (lasso: [number, number][] | null, gate: string | null, filter: string | null = null) =>
    selectedNuclei(4, { lasso, gate, filter }, KNOWN);

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

  it('are those that pass the filter of the cell browser, too', () => {
    expect([...(selected(null, null, 'area_um2:100..;class:telophase') ?? [])]).toEqual([0, 1, 0, 0]);
    expect([...(selected(null, GATE, 'mean_intensity:50..') ?? [])]).toEqual([0, 0, 1, 0]);
    expect([...(selected(LASSO, null, 'area_um2:..100') ?? [])]).toEqual([1, 0, 0, 0]);
    expect(decidingColumns({ gate: GATE, filter: 'texture:..1;class:telophase' })).toEqual(['area_um2', 'mean_intensity', 'texture', 'class']);
  });

  it('are never nuclei that give no cell', () => {
    const known = { ...KNOWN, cells: Uint8Array.of(1, 0, 1, 1) };
    expect([...(selectedNuclei(4, { lasso: null, gate: GATE, filter: null }, known) ?? [])]).toEqual([0, 0, 1, 0]);
    expect([...(selectedNuclei(4, { lasso: LASSO, gate: null, filter: null }, known) ?? [])]).toEqual([1, 0, 0, 0]);
    expect(selectedNuclei(4, { lasso: null, gate: null, filter: null }, known)).toBeNull();
  });

  it('is decided by the columns that a table of nuclei has', () => {
    const table: Partial<Record<string, unknown[]>> = { std_intensity: [2, 3, null], mean_intensity: [4, 0, 5], elongation: [null, null, null], class: ['a', null, 'b'] };
    const { columns, kinds } = measuredColumns(3, (name) => table[name]);
    expect([...columns.keys()]).toEqual(['mean_intensity', 'std_intensity', 'texture']);
    expect([...(columns.get('texture') ?? [])]).toEqual([0.5, Number.NaN, Number.NaN]);
    expect(kinds).toEqual({ names: ['a', 'b'], codes: Uint16Array.of(1, 0, 2) });
  });
});
