import { parseGate, type Brushed } from '../shared/address';
import type { ListedPanorama } from '../shared/panoramalist';
import { allInside, isInside } from '../shared/polygon';
import type { Columns } from './choice';
import type { Kinds } from './table';

/** What is selected elsewhere on the page. */
export type Selected = Pick<Brushed, 'lasso' | 'gate'>;

/** What decides on a cell besides the measurements of the gate. */
export interface Known {
  columns: Columns;
  /** The panorama of each cell. */
  panoramas: Kinds | null;
  /** What is known of panoramas, by name. */
  listed: ReadonlyMap<string, ListedPanorama>;
}

/** 1 for each cell whose panorama is inside the lasso and whose measurements are inside the gate, else 0; null without either. */
export function selectedCells(cells: number, { lasso, gate }: Selected, { columns, panoramas, listed }: Known): Uint8Array | null {
  const round = gate === null ? null : parseGate(gate);
  const [xs, ys] = [round && columns.get(round.x), round && columns.get(round.y)];
  const within = round && xs && ys ? allInside(round.corners, xs, ys) : null;
  if (!lasso) return within;
  const inside = new Set((panoramas?.names ?? []).flatMap((name, at) => (isSelected(lasso, listed.get(name)) ? [at + 1] : [])));
  const of = panoramas?.codes;
  return Uint8Array.from({ length: cells }, (_, cell) => Number((within?.[cell] ?? 1) === 1 && inside.has(of?.[cell] ?? 0)));
}

function isSelected(lasso: NonNullable<Selected['lasso']>, panorama: ListedPanorama | undefined): boolean {
  const { rois = null, mean = null } = panorama ?? {};
  return rois !== null && mean !== null && isInside(lasso, rois, mean);
}
