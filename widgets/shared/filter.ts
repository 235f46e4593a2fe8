/** Which cells are meant: those whose measurements are within ranges, and that are of a class. */
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

/** The values of a column for all cells of an edition. */
export type Columns = ReadonlyMap<string, Float32Array>;

/** Words of a column by number, such as classes; 0 is a cell that has none. */
export interface Kinds {
  names: string[];
  codes: Uint16Array;
}

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

function rangeOf(text: string): Range | null {
  const [from = '', to = '', ...more] = text.split('..');
  const limit = (side: string) => (side === '' ? null : NUMBER.test(side) ? Number(side) : Number.NaN);
  const range = { from: limit(from), to: limit(to) };
  const fits = more.length === 0 && text.includes('..') && ![range.from, range.to].some(Number.isNaN);
  return fits && (range.from === null || range.to === null || range.from <= range.to) && text !== '..' ? range : null;
}
