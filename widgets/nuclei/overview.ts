import type { TableFile } from '../cells/collection';
import type { MeasuredTable } from '../cells/measurements';
import { Table } from '../cells/table';
import type { Measure } from '../shared/measure';

/** The measurements of some of the cells, in the places that all have: a plane of very many is drawn from them at first. */
export class Overview implements MeasuredTable {
  private constructor(
    private readonly table: Table,
    /** The cells that it has, in ascending order. */
    private readonly rows: Uint32Array,
    private readonly cells: number,
  ) {}

  /** Opens the overview of so many cells. */
  static async open(file: TableFile, cells: number, signal: AbortSignal): Promise<Overview> {
    const table = new Table(file, signal);
    return new Overview(table, await table.integers('row'), cells);
  }

  /** How many cells it has. */
  get size(): number {
    return this.rows.length;
  }

  measures(): Promise<Measure[]> {
    return this.table.measures();
  }

  /** The values of a measurement for all cells; NaN also where it does not have the cell. */
  async column(name: string): Promise<Float32Array> {
    const known = await this.table.column(name);
    const values = new Float32Array(this.cells).fill(Number.NaN);
    this.rows.forEach((cell, at) => {
      values[cell] = known[at] ?? Number.NaN;
    });
    return values;
  }

  /** It has no words. */
  words(): Promise<null> {
    return Promise.resolve(null);
  }
}
