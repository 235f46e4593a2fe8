import type { Columns, Kinds } from '../shared/filter';

/** By which measurement cells are ordered, and whether the largest come first. */
export interface Order {
  column: string;
  down: boolean;
}

const COLUMN = /^[a-z]\w{0,40}$/;

/** Reads an order: the column, with a minus where the largest come first; null where that is none. */
export function parseOrder(text: string): Order | null {
  const down = text.startsWith('-');
  const column = down ? text.slice(1) : text;
  return COLUMN.test(column) ? { column, down } : null;
}

export function orderText(order: Order | null): string | null {
  return order && `${order.down ? '-' : ''}${order.column}`;
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
