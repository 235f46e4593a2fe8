import { describe, expect, it } from 'vitest';
import { LEVELS, NO_VALUE } from '../scatter/colours';
import { byCount, byRun, byValue } from './levels';

describe('colours of nuclei', () => {
  it('are brightest where there are most', () => {
    const crowd = Array.from({ length: 50 }, (_, at) => at / 1000);
    const { levels } = byCount({ x: [...crowd, 10], y: [...crowd, 10] });
    expect(levels[0]).toBe(LEVELS - 1);
    expect(levels[50]).toBeLessThan(LEVELS / 2);
  });

  it('show a measurement from its lowest to its highest hundredth, and what has none', () => {
    const values = Float32Array.from({ length: 1001 }, (_, at) => at);
    values[500] = 1e6;
    values[3] = Number.NaN;
    const { levels, legend } = byValue(Uint32Array.from(values.keys()), values);
    expect([levels[0], levels[3], levels[1000], levels[500]]).toEqual([0, NO_VALUE, LEVELS - 1, LEVELS - 1]);
    expect(legend.missing).toBe(1);
    expect(legend.steps.map(({ text }) => text)).toEqual(['≤ 11', '≥ 991']);
  });

  it('show experiments in their order', () => {
    const runs = [{ run: 3, passage: null, first: 0, cells: 2 }, { run: 8, passage: null, first: 2, cells: 1 }];
    const { levels, legend } = byRun(Uint32Array.of(0, 1, 2), runs);
    expect([...levels]).toEqual([0, 0, LEVELS - 1]);
    expect(legend.steps.map(({ text }) => text)).toEqual(['3', '8']);
  });
});
