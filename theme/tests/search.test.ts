import { expect, test } from 'vitest';
import { excerpt, finder, passages } from '../src/client/passages.js';

const record = (url: string, lvl1: string, lvl2: string | undefined, type: string, content?: string) => ({ hierarchy: { lvl1, lvl2 }, type, url, content });
const RECORDS = [
  record('/area', 'The imaged area', undefined, 'lvl1'),
  record('/area', 'The imaged area', undefined, 'content', 'The sum of width times height of all panoramas.'),
  record('/area#scale', 'The imaged area', 'Scale', 'lvl2'),
  record('/area#scale', 'The imaged area', 'Scale', 'content', 'Pixels a micrometre, the same in all panoramas.'),
  record('/cells', 'Cells', undefined, 'lvl1'),
  record('/cells', 'Cells', undefined, 'content', 'Each image holds one nucleus of Zürich. Its area is known, in the area of the mask.'),
];
const OF = passages(RECORDS);
const found = (query: string) => finder(OF)(query).map(({ url }) => url);

test('a heading and the text below it are one passage', () => {
  expect(OF.map(({ url, section, text }) => [url, section, text.slice(0, 6)])).toEqual([
    ['/area', '', 'The su'],
    ['/area#scale', 'Scale', 'Pixels'],
    ['/cells', '', 'Each i'],
  ]);
});

test('a word in a title weighs more than one in the text', () => {
  expect(found('area')[0]).toBe('/area');
  expect(found('scale')[0]).toBe('/area#scale');
});

test('the last word may be begun, a long one misspelled, an accent left out', () => {
  expect(found('micro')).toEqual(['/area#scale']);
  expect(found('micrometer')).toEqual(['/area#scale']);
  expect(found('zurich')).toEqual(['/cells']);
});

test('all words are looked for, and any of them where no passage has all', () => {
  expect(found('panoramas pixels')).toEqual(['/area#scale']);
  expect(found('nucleus absent')).toEqual(['/cells']);
  expect(found('absent')).toEqual([]);
});

test('an excerpt marks the words and leaves the text as it is', () => {
  const text = 'Some text goes before. '.repeat(20) + 'The mean intensity of pixels (by run) is given. ' + 'Some text follows. '.repeat(20);
  const runs = excerpt(text, 'mean inten');
  expect(runs.filter(({ marked }) => marked).map((run) => run.text)).toEqual(['mean', 'intensity']);
  const whole = runs.map((run) => run.text).join('');
  expect(text).toContain(whole.replace(/^… | …$/g, ''));
  expect(whole.length).toBeLessThan(180);
});

test('an excerpt of text without the words is its beginning, and signs of patterns are but signs', () => {
  expect(excerpt('A short text (with a bracket).', 'zebra')).toEqual([{ text: 'A short text (with a bracket).', marked: false }]);
  expect(excerpt('A + B', '+ ( [')).toEqual([{ text: 'A + B', marked: false }]);
});
