import { expect, test } from 'vitest';
import { columnsOf, csvOf, numberIn, parametersOf, recordsIn, rowsShown, selectionIn, type Selection } from '../src/client/rows.js';

const TITLES = ['Set', 'Axes', 'Images', 'Organism'];
const ROWS = [
  ['bbbc10', '2D', '~10,400', 'mouse'],
  ['Zürich*', '2D, 3D', '–', 'Drosophila'],
  ['bbbc9', '3D', '30', 'mouse'],
  ['alpha', '2D', '205,343', '–'],
  ['épfl', '3D', '30', '–'],
];
const COLUMNS = columnsOf(TITLES, ROWS);
const ALL: Selection = { find: '', chosen: {}, sort: undefined };
const shown = (selection: Partial<Selection>) => rowsShown(COLUMNS, ROWS, { ...ALL, ...selection }).map((at) => ROWS[at]?.[0]);

test('cells are numbers as the book writes them', () => {
  expect(['1,061,277', '~22,000', '−2.5', '30', '37.25\u00a0cm²', '98%'].map(numberIn)).toEqual([1061277, 22000, -2.5, 30, 37.25, 98]);
  expect(['2D', '–', '', '1,2', 'CC0-1.0', '3 of 4'].map(numberIn)).toEqual(Array(6).fill(undefined));
});

test('columns of texts that recur can be chosen by, value by value', () => {
  expect(COLUMNS.map(({ key, numeric }) => [key, numeric])).toEqual([['set', false], ['axes', false], ['images', true], ['organism', false]]);
  expect(COLUMNS.map(({ choices }) => choices)).toEqual([[], ['2D', '3D'], [], ['Drosophila', 'mouse']]);
});

test('a column of many values, of one, or of values that are all different has no choices', () => {
  const rows = Array.from({ length: 20 }, (_, at) => ['name', `value ${at % 9}`, 'same', at < 3 ? `own ${at}` : '–']);
  expect(columnsOf(['A', 'B', 'C', 'D'], rows).map(({ choices }) => choices)).toEqual([[], [], [], []]);
});

test('numbers sort by value, and what is not known comes last either way', () => {
  expect(shown({ sort: { key: 'images', descending: false } })).toEqual(['bbbc9', 'épfl', 'bbbc10', 'alpha', 'Zürich*']);
  expect(shown({ sort: { key: 'images', descending: true } })).toEqual(['alpha', 'bbbc10', 'bbbc9', 'épfl', 'Zürich*']);
});

test('texts sort as readers of the language sort them', () => {
  expect(shown({ sort: { key: 'set', descending: false } })).toEqual(['alpha', 'bbbc9', 'bbbc10', 'épfl', 'Zürich*']);
});

test('rows have all words, and the chosen value among those of their cell', () => {
  expect(shown({ find: '  ZURICH ' })).toEqual(['Zürich*']);
  expect(shown({ find: 'mouse bbbc1' })).toEqual(['bbbc10']);
  expect(shown({ find: 'mouse alpha' })).toEqual([]);
  expect(shown({ chosen: { axes: '3D' } })).toEqual(['Zürich*', 'bbbc9', 'épfl']);
  expect(shown({ chosen: { axes: '3D', organism: 'mouse' } })).toEqual(['bbbc9']);
});

test('an address says what is selected, and is read back', () => {
  const selection: Selection = { find: 'a b', chosen: { axes: '2D' }, sort: { key: 'images', descending: true } };
  const written = parametersOf(selection, 'sets', COLUMNS);
  expect(written).toEqual([['sets.find', 'a b'], ['sets.axes', '2D'], ['sets.organism', null], ['sets.sort', '-images']]);
  const search = new URLSearchParams(written.filter((pair): pair is [string, string] => pair[1] !== null));
  expect(selectionIn(`?${search.toString()}`, 'sets', COLUMNS)).toEqual(selection);
});

test('what an address asks for and the table has not is left out', () => {
  const search = '?sets.axes=4D&sets.sort=-colour&sets.images=30&other.find=x&axes=2D';
  expect(selectionIn(search, 'sets', COLUMNS)).toEqual(ALL);
  expect(selectionIn(`?sets.find=${'x'.repeat(500)}`, 'sets', COLUMNS).find).toHaveLength(200);
});

test('CSV is read with quotes, commas and lines in its cells', () => {
  expect(recordsIn('a,b\n"1, ""x""\ny",\n,2\n')).toEqual([['a', 'b'], ['1, "x"\ny', ''], ['', '2']]);
  expect(recordsIn('a,b\r\n1,2')).toEqual([['a', 'b'], ['1', '2']]);
});

test('the rows shown are exported with all columns of the whole table, in their order', () => {
  const whole = `set,address\n${ROWS.map(([name = '']) => `${name},"https://${name},x"`).join('\n')}\n`;
  expect(csvOf([3, 0], TITLES, ROWS, whole)).toBe('set,address\nalpha,"https://alpha,x"\nbbbc10,"https://bbbc10,x"\n');
});

test('without a whole table, or with one of other rows, the columns shown are exported', () => {
  const expected = 'Set,Axes,Images,Organism\nZürich*,"2D, 3D",,Drosophila\n';
  expect(csvOf([1], TITLES, ROWS)).toBe(expected);
  expect(csvOf([1], TITLES, ROWS, 'set,address\none,two\n')).toBe(expected);
});
