import { csvText } from '../shared/csv';
import type { Table } from './table';

/** Columns of a saved table, in their order; grey levels are of the 8-bit image, and units end each name. */
const COLUMNS: readonly (readonly [column: string, name: string])[] = [
  ['cell', 'cell'],
  ['panorama', 'panorama'],
  ['roi', 'roi'],
  ['run', 'run'],
  ['passage', 'passage'],
  ['x_px', 'x_px'],
  ['y_px', 'y_px'],
  ['area_um2', 'area_um2'],
  ['mean_intensity', 'mean_intensity_grey_levels'],
  ['std_intensity', 'std_intensity_grey_levels'],
  ['elongation', 'elongation'],
  ['orientation_deg', 'orientation_deg'],
  ['rim_um', 'rim_um'],
  ['class', 'class'],
];

/** What the table has of some cells, in their order, as comma-separated values. */
export async function cellsCsv(table: Pick<Table, 'names' | 'pick'>, cells: readonly number[]): Promise<string> {
  const known = await table.names();
  const columns = COLUMNS.filter(([column]) => known.has(column));
  const values = await Promise.all(columns.map(([column]) => table.pick(column, cells)));
  return csvText(
    columns.map(([, name]) => name),
    cells.map((_, at) => values.map((column) => column[at])),
  );
}
