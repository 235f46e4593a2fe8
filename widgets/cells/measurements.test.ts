import { describe, expect, it, vi } from 'vitest';
import { Problem } from '../shared/problem';
import { Measurements } from './measurements';
import { MEASURES } from '../shared/measure';
import type { Table } from './table';

const AREA = Float32Array.from([1, 2]);

/** Measurements of a table that has areas and classes, and how often those were read. */
function measurements(changes: Partial<Table> = {}) {
  const changed = vi.fn();
  const column = vi.fn(() => Promise.resolve(AREA));
  const table = {
    measures: () => Promise.resolve(MEASURES.filter((measure) => measure.column === 'area_um2')),
    column,
    words: () => Promise.resolve({ names: ['a'], codes: Uint16Array.from([1, 0]) }),
    ...changes,
  } as unknown as Table;
  return { all: new Measurements(table, changed, new AbortController().signal), changed, column };
}

describe('measurements', () => {
  it('are awaited until they are there, and fetched once', async () => {
    const { all, changed, column } = measurements();
    all.fetch(['area_um2']);
    all.fetch(['area_um2']);
    expect([all.awaits(), all.awaits(['area_um2']), all.awaits(['class'])]).toEqual([true, true, false]);
    await vi.waitUntil(() => !all.awaits());
    expect(all.columns.get('area_um2')).toBe(AREA);
    expect([column.mock.calls.length, changed.mock.calls.length]).toEqual([1, 1]);
  });

  it('that the table does not have, or that nobody knows, are not awaited', async () => {
    const { all, column } = measurements();
    all.fetch(['orientation_deg', 'shoe_size']);
    expect(all.awaits(['shoe_size'])).toBe(false);
    await vi.waitUntil(() => !all.awaits());
    expect(all.columns.size).toBe(0);
    expect(column).not.toHaveBeenCalled();
  });

  it('include classes', async () => {
    const { all } = measurements();
    all.fetch(['class']);
    await vi.waitUntil(() => !all.awaits());
    expect(all.kinds?.names).toEqual(['a']);
  });

  it('leave a message where they cannot be loaded, and are fetched again when asked', async () => {
    let damaged = true;
    const { all, changed } = measurements({
      column: () => (damaged ? Promise.reject(new Problem('The table is damaged.')) : Promise.resolve(AREA)),
    });
    all.fetch(['area_um2']);
    await vi.waitUntil(() => !all.awaits());
    expect([all.problem, changed.mock.calls.length]).toEqual(['The table is damaged.', 1]);
    all.fetch(['area_um2']);
    expect(all.awaits()).toBe(false);
    damaged = false;
    all.retry();
    expect(all.problem).toBe('');
    all.fetch(['area_um2']);
    await vi.waitUntil(() => !all.awaits());
    expect(all.columns.get('area_um2')).toBe(AREA);
  });
});
