import { csvText } from '../shared/csv';
import { grouped } from '../shared/text';
import type { Table } from './table';

/** Columns of a saved table, in their order; they are named as in `rois.parquet`. Grey levels are of the 8-bit image. */
const COLUMNS = [
  'cell',
  'panorama',
  'roi',
  'run',
  'passage',
  'x_px',
  'y_px',
  'area_um2',
  'mean_intensity',
  'std_intensity',
  'elongation',
  'orientation_deg',
  'rim_um',
  'confidence',
  'class',
];

export interface CellsCsv {
  text: string;
  /** On what is empty in it; empty where nothing is to be said. */
  note: string;
}

/** What the table has of some cells, in their order, as comma-separated values. */
export async function cellsCsv(table: Pick<Table, 'names' | 'pick'>, cells: readonly number[]): Promise<CellsCsv> {
  const known = await table.names();
  const columns = COLUMNS.filter((column) => known.has(column));
  const values = await Promise.all(columns.map((column) => table.pick(column, cells)));
  const text = csvText(
    columns,
    cells.map((_, at) => values.map((column) => column[at])),
  );
  const unknown = values[columns.indexOf('class')]?.filter((value) => (value ?? '') === '').length ?? 0;
  return { text, note: unknown === 0 ? '' : `The class of ${grouped(unknown)} is not known, and empty there.` };
}
