import type { Kind } from '../shared/address';
import type { Kinds } from './table';

/** Which cells of a draw are shown: those whose measurements are within ranges, and that are of a class. */
export interface Filter {
  ranges: Map<string, Range>;
  kind: string | null;
}

/** From and to, both within; null where there is no limit. */
export interface Range {
  from: number | null;
  to: number | null;
}

export const NO_FILTER: Filter = { ranges: new Map(), kind: null };

/** By which measurement cells are ordered, and whether the largest come first. */
export interface Order {
  column: string;
  down: boolean;
}

const COLUMN = /^[a-z]\w{0,40}$/;
const NUMBER = /^-?\d{1,12}(\.\d{1,12})?$/;
const MOST_PARTS = 12;

/** Reads a filter: `area_um2:100..200;mean_intensity:..80;class:telophase`; null where that is none. */
export function parseFilter(text: string): Filter | null {
  const filter: Filter = { ranges: new Map(), kind: null };
  const parts = text.split(';');
  if (parts.length > MOST_PARTS) return null;
  for (const part of parts) {
    const [, column = '', wanted = ''] = /^(\w+):(.+)$/.exec(part) ?? [];
    if (column === 'class') filter.kind = wanted.slice(0, 100);
    else {
      const range = rangeOf(wanted);
      if (!COLUMN.test(column) || !range) return null;
      filter.ranges.set(column, range);
    }
  }
  return filter;
}

/** The text of a filter; null for one that lets all pass. */
export function filterText({ ranges, kind }: Filter): string | null {
  const parts = [...ranges].map(([column, { from, to }]) => `${column}:${from ?? ''}..${to ?? ''}`);
  if (kind !== null) parts.push(`class:${kind.replaceAll(';', ' ')}`);
  return parts.length > 0 ? parts.join(';') : null;
}

/** Reads an order: the column, with a minus where the largest come first; null where that is none. */
export function parseOrder(text: string): Order | null {
  const down = text.startsWith('-');
  const column = down ? text.slice(1) : text;
  return COLUMN.test(column) ? { column, down } : null;
}

export function orderText(order: Order | null): string | null {
  return order && `${order.down ? '-' : ''}${order.column}`;
}

/** A text that can be read, in an address as in a trait. */
export function readableKind(read: (text: string) => unknown): Kind<string | null> {
  const accept = (value: unknown) => (typeof value === 'string' && value.length <= 1000 && read(value) !== null ? value : undefined);
  return { absent: null, parse: accept, format: (value) => value ?? '', accept };
}

function rangeOf(text: string): Range | null {
  const [from = '', to = '', ...more] = text.split('..');
  const limit = (side: string) => (side === '' ? null : NUMBER.test(side) ? Number(side) : Number.NaN);
  const range = { from: limit(from), to: limit(to) };
  const fits = more.length === 0 && text.includes('..') && ![range.from, range.to].some(Number.isNaN);
  return fits && (range.from === null || range.to === null || range.from <= range.to) && text !== '..' ? range : null;
}

/** The values of a column for all cells of an edition. */
export type Columns = ReadonlyMap<string, Float32Array>;

/**
 * Those of some cells that pass a filter, in their order. A column that is not there yet, or not at all, lets all pass; `but`
 * names a column whose range does not count.
 */
export function passing(cells: number[], filter: Filter, columns: Columns, kinds: Kinds | null, but = ''): number[] {
  const ranges = [...filter.ranges].flatMap(([column, { from, to }]) => {
    const values = columns.get(column);
    return values && column !== but ? [{ values, from: from ?? -Infinity, to: to ?? Infinity }] : [];
  });
  const code = filter.kind === null || !kinds ? null : kinds.names.indexOf(filter.kind) + 1;
  if (ranges.length === 0 && code === null) return cells;
  return cells.filter((cell) => {
    if (code !== null && (code === 0 || kinds?.codes[cell] !== code)) return false;
    return ranges.every(({ values, from, to }) => {
      const value = values[cell] ?? Number.NaN;
      return value >= from && value <= to;
    });
  });
}

/**
 * Cells by name: those of each panorama whose name has the text, or, where the text ends in `_ROI_` and a number, the one with
 * that number.
 */
export function namedCells(text: string, panoramas: Kinds | null, rois: Float32Array | undefined, most: number): number[] {
  const [, of = text, number] = /^(.*)_roi_(\d+)$/i.exec(text) ?? [];
  const [wanted, roi] = [of.toLowerCase(), number === undefined ? null : Number(number)];
  if (!panoramas) return [];
  const { names, codes } = panoramas;
  const exact = names.findIndex((name) => name.toLowerCase() === wanted);
  const having = new Set(exact >= 0 && roi !== null ? [exact + 1] : names.flatMap((name, at) => (name.toLowerCase().includes(wanted) ? [at + 1] : [])));
  const found: number[] = [];
  for (let cell = 0; cell < codes.length && found.length < most; cell++) {
    if (having.has(codes[cell] ?? 0) && (roi === null || rois?.[cell] === roi)) found.push(cell);
  }
  return found;
}

/** Cells in the order of a measurement; equal ones stay as they were, those without it come last, either way. */
export function ordered(cells: number[], order: Order | null, columns: Columns): number[] {
  const values = order && columns.get(order.column);
  if (!order || !values) return cells;
  const sign = order.down ? -1 : 1;
  return [...cells].sort((a, b) => {
    const [one, other] = [values[a] ?? Number.NaN, values[b] ?? Number.NaN];
    if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
    return sign * (one - other);
  });
}

/** The least and the greatest value among some cells; null where none of them has one. */
export function extent(cells: number[], values: Float32Array): [number, number] | null {
  let [least, most] = [Infinity, -Infinity];
  for (const cell of cells) {
    const value = values[cell] ?? Number.NaN;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least <= most ? [least, most] : null;
}

/** How many of some cells have a value in each of `count` equal steps from `least` to `most`. */
export function binned(cells: number[], values: Float32Array, [least, most]: [number, number], count: number): Uint32Array {
  const bins = new Uint32Array(count);
  const scale = most > least ? count / (most - least) : 0;
  for (const cell of cells) {
    const value = values[cell] ?? Number.NaN;
    if (!(value >= least && value <= most)) continue;
    const bin = Math.min(count - 1, Math.floor((value - least) * scale));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  return bins;
}
