import { parseGate, type Brushed, type State } from './address';
import { passing, parseFilter, type Columns, type Kinds } from './filter';
import { MEASURES, quotient, TEXTURE } from './measure';
import type { ListedPanorama } from './panoramalist';
import { allInside, isInside } from './polygon';

/** What is selected on a page. */
export type Selected = Pick<Brushed, 'lasso' | 'gate' | 'filter'>;

/** What decides on nuclei, a value each. */
export interface Known {
  columns: Columns;
  kinds: Kinds | null;
  /** The panorama of each. */
  panoramas: Kinds | null;
  /** What is known of panoramas, by name. */
  listed: ReadonlyMap<string, ListedPanorama>;
  /** 1 for each that gives a cell, else 0: the others are never selected. All do where this is not given. */
  cells?: Uint8Array;
}

export const NOTHING_SELECTED: Selected = { lasso: null, gate: null, filter: null };

export function selectedIn(state: State<Brushed>): Selected {
  return { lasso: state.get('lasso'), gate: state.get('gate'), filter: state.get('filter') };
}

export function isSomethingSelected(state: State<Brushed>): boolean {
  return Object.values(selectedIn(state)).some((one) => one !== null);
}

/** The measurements that decide on what is selected, and `class` where that does. */
export function decidingColumns({ gate, filter }: Pick<Selected, 'gate' | 'filter'>): string[] {
  const round = parseGate(gate ?? '');
  const { ranges, kind } = parseFilter(filter ?? '') ?? { ranges: new Map<string, unknown>(), kind: null };
  return [...(round ? [round.x, round.y] : []), ...ranges.keys(), ...(kind === null ? [] : ['class'])];
}

/**
 * 1 for each nucleus whose panorama is inside the lasso, whose measurements are inside the gate, and that passes the filter,
 * else 0; null where nothing is selected.
 */
export function selectedNuclei(count: number, { lasso, gate, filter }: Selected, { columns, kinds, panoramas, listed, cells }: Known): Uint8Array | null {
  const round = gate === null ? null : parseGate(gate);
  const [xs, ys] = [round && columns.get(round.x), round && columns.get(round.y)];
  const within = round && xs && ys ? allInside(round.corners, xs, ys) : null;
  const wanted = filter === null ? null : parseFilter(filter);
  if (!within && !lasso && !wanted) return null;
  const inside = new Set((panoramas?.names ?? []).flatMap((name, at) => (!lasso || isSelected(lasso, listed.get(name)) ? [at + 1] : [])));
  const all = Array.from({ length: count }, (_, nucleus) => nucleus).filter(
    (nucleus) => (cells?.[nucleus] ?? 1) === 1 && (within?.[nucleus] ?? 1) === 1 && (!lasso || inside.has(panoramas?.codes[nucleus] ?? 0)),
  );
  const selected = new Uint8Array(count);
  for (const nucleus of wanted ? passing(all, wanted, columns, kinds) : all) selected[nucleus] = 1;
  return selected;
}

/** The columns of a table of nuclei that can decide on what is selected; `column` gives those that the table has. */
export function measuredColumns(count: number, column: (name: string) => readonly unknown[] | undefined): Pick<Known, 'columns' | 'kinds'> {
  const columns = new Map<string, Float32Array>();
  for (const { column: name } of MEASURES) {
    const values = column(name);
    if (values?.some((value) => typeof value === 'number')) columns.set(name, Float32Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN)));
  }
  const [spread, mean] = TEXTURE.of.map((name) => columns.get(name));
  if (spread && mean) columns.set(TEXTURE.column, spread.map((value, at) => quotient(value, mean[at] ?? 0)));
  const names: string[] = [];
  const codes = new Uint16Array(count);
  for (const [at, word] of (column('class') ?? []).entries()) {
    if (typeof word !== 'string') continue;
    if (!names.includes(word)) names.push(word);
    codes[at] = names.indexOf(word) + 1;
  }
  return { columns, kinds: names.length > 0 ? { names, codes } : null };
}

function isSelected(lasso: NonNullable<Selected['lasso']>, panorama: ListedPanorama | undefined): boolean {
  const { rois = null, mean = null } = panorama ?? {};
  return rois !== null && mean !== null && isInside(lasso, rois, mean);
}
