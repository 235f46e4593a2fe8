import { csvText } from '../../../widgets/shared/csv';
import { readParameter } from '../../../widgets/shared/address';

/** A column of a table: how addresses call it, whether it is of numbers, and the values that rows can be chosen by. */
export interface Column { key: string; title: string; numeric: boolean; choices: string[] }

/** Which rows of a table are shown, and in which order. */
export interface Selection {
  /** Words that a row has to have, all of them. */
  find: string;
  /** Of a column, by its key, the value that a row has to have. */
  chosen: Partial<Record<string, string>>;
  sort: { key: string; descending: boolean } | undefined;
}

const MOST_CHOICES = 8;
const MOST_CHARACTERS = 200;
/** As in `1,200`, `~22,000`, `−2.5` and `37.25 cm²`, where a no-break space is before the unit. */
const NUMBER = /^~?([−-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?:[%×]|\u00a0.*)?$/;

/** The value of a cell that holds a number. */
export function numberIn(cell: string): number | undefined {
  const digits = NUMBER.exec(cell)?.[1];
  return digits === undefined ? undefined : Number(digits.replaceAll(',', '').replace('−', '-'));
}

function isKnown(cell: string): boolean {
  return cell !== '' && cell !== '–' && cell !== '—';
}

/** A cell may list several values. */
function valuesIn(cell: string): string[] {
  return isKnown(cell) ? cell.split(', ') : [];
}

/** What the columns hold. The first names the row; of the others, those of texts that recur can be chosen by. */
export function columnsOf(titles: readonly string[], rows: readonly (readonly string[])[], locale?: string): Column[] {
  const { compare } = new Intl.Collator(locale, { numeric: true });
  return titles.map((title, at) => {
    const cells = rows.map((row) => row[at] ?? '').filter(isKnown);
    const numeric = cells.length > 0 && cells.every((cell) => numberIn(cell) !== undefined);
    const values = cells.flatMap(valuesIn);
    const choices = [...new Set(values)].sort(compare);
    const few = at > 0 && !numeric && choices.length > 1 && choices.length <= MOST_CHOICES && choices.length < values.length;
    const key = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');
    return { key, title, numeric, choices: few ? choices : [] };
  });
}

const fold = (text: string) => text.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '');

/** The numbers of the rows that a selection shows, in its order. Cells that say nothing come last, either way. */
export function rowsShown(columns: readonly Column[], rows: readonly (readonly string[])[], { find, chosen, sort }: Selection, locale?: string): number[] {
  const words = fold(find).split(/\s+/).filter(Boolean);
  const shown = rows.flatMap((row, at) => {
    const text = fold(row.join('\n'));
    const fits = columns.every(({ key }, column) => chosen[key] === undefined || valuesIn(row[column] ?? '').includes(chosen[key]));
    return fits && words.every((word) => text.includes(word)) ? [at] : [];
  });
  const column = columns.findIndex(({ key }) => key === sort?.key);
  if (sort === undefined || column < 0) return shown;
  const { compare } = new Intl.Collator(locale, { numeric: true, ignorePunctuation: true });
  const inOrder = columns[column]?.numeric === true ? (a: string, b: string) => (numberIn(a) ?? 0) - (numberIn(b) ?? 0) : compare;
  return shown.sort((first, second) => {
    const [a, b] = [rows[first]?.[column] ?? '', rows[second]?.[column] ?? ''];
    if (!isKnown(a) || !isKnown(b)) return Number(isKnown(b)) - Number(isKnown(a));
    return sort.descending ? inOrder(b, a) : inOrder(a, b);
  });
}

/** The selection that an address asks for; what the table has not is left out. */
export function selectionIn(search: string, name: string, columns: readonly Column[]): Selection {
  const read = (key: string) => readParameter(search, `${name}.${key}`) ?? '';
  const chosen = columns.flatMap(({ key, choices }) => (choices.includes(read(key)) ? [[key, read(key)] as const] : []));
  const [, minus = '', key = ''] = /^(-?)(.*)$/s.exec(read('sort')) ?? [];
  return {
    find: read('find').slice(0, MOST_CHARACTERS),
    chosen: Object.fromEntries(chosen),
    sort: columns.some((column) => column.key === key) ? { key, descending: minus !== '' } : undefined,
  };
}

/** A selection as parameters of an address, null where it asks for nothing: `NAME.task=detection`, `NAME.sort=-images`. */
export function parametersOf({ find, chosen, sort }: Selection, name: string, columns: readonly Column[]): [string, string | null][] {
  return [
    [`${name}.find`, find.trim() === '' ? null : find.trim().slice(0, MOST_CHARACTERS)],
    ...columns.filter(({ choices }) => choices.length > 0).map(({ key }): [string, string | null] => [`${name}.${key}`, chosen[key] ?? null]),
    [`${name}.sort`, sort === undefined ? null : `${sort.descending ? '-' : ''}${sort.key}`],
  ];
}

/** The records of a CSV table, its head among them. */
export function recordsIn(csv: string): string[][] {
  const records: string[][] = [[]];
  for (const [, quoted, plain = '', end = ''] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    records.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '') break;
    if (end !== ',') records.push([]);
  }
  // After the last line's end there is an empty record.
  return records.filter(({ length, 0: first }) => length > 1 || first !== '');
}

/**
 * The rows shown as CSV. `whole` is a table with more columns and the same rows in the order in which the page was made;
 * where it has others, the columns of the page are taken.
 */
export function csvOf(shown: readonly number[], titles: readonly string[], rows: readonly (readonly string[])[], whole?: string): string {
  const [head, ...records] = whole === undefined ? [] : recordsIn(whole);
  const fits = head !== undefined && records.length === rows.length;
  const taken = fits ? records : rows.map((row) => row.map((cell) => (isKnown(cell) ? cell : '')));
  return csvText(fits ? head : titles, shown.map((at) => taken[at] ?? []));
}
