import { describe, expect, it } from 'vitest';
import { Problem } from '../shared/problem';
import { averagesOf, parseCollection, pointsOf } from './collection';

const ADDRESS = 'http://book.example/build/pyramids/panoramas.json';
const COLUMNS = {
  panorama: ['Run1TL_top_left', 'Run2TL_top_left', 'empty'],
  run: [1, 2, 2],
  passage: ['P12', null, 'P13'],
  num_rois: [22, 30, 0],
  mean_intensity: [77.5, 90, null],
  std_intensity: [62.5, 70.5, null],
  rank: [1, null, null],
  pyramid: [true, false, false],
  preview: ['previews/Run1TL_top_left.jpg', null, null],
};
const table = (changes: object = {}) =>
  JSON.stringify({ edition: 'twin', note: 'Simulated', columns: { ...COLUMNS, ...changes } });

describe('parseCollection', () => {
  it('reads a panorama, with the address of its preview relative to the table', () => {
    const { note, panoramas } = parseCollection(table(), ADDRESS);
    expect(note).toBe('Simulated');
    expect(panoramas[0]).toEqual({
      name: 'Run1TL_top_left',
      run: 1,
      passage: 'P12',
      rois: 22,
      mean: 77.5,
      spread: 62.5,
      rank: 1,
      pyramid: true,
      preview: 'http://book.example/build/pyramids/previews/Run1TL_top_left.jpg',
    });
  });

  it('takes a table of only names and counts', () => {
    const text = JSON.stringify({ columns: { panorama: ['a'], num_rois: [3] } });
    expect(parseCollection(text, ADDRESS).panoramas).toEqual([
      { name: 'a', run: null, passage: null, rois: 3, mean: null, spread: null, rank: null, pyramid: false, preview: null },
    ]);
  });

  it('takes an edition without panoramas', () => {
    expect(parseCollection(table(Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, []]))), ADDRESS).panoramas).toEqual([]);
  });

  it.each([
    ['not JSON', '{"columns": ', 'cannot be read'],
    ['an array', '[]', 'names no panoramas'],
    ['no columns', '{"columns": null}', 'names no panoramas'],
    ['a short column', table({ run: [1] }), 'column run has 1 of 3'],
    ['a number for a name', table({ panorama: ['a', 2, 'c'] }), 'entry 2 has no name'],
    ['no count', table({ num_rois: [1, null, 3] }), 'Run2TL_top_left has no number'],
  ])('refuses %s', (_, text, words) => {
    expect(() => parseCollection(text, ADDRESS)).toThrow(Problem);
    expect(() => parseCollection(text, ADDRESS)).toThrow(words);
  });

  it('takes values of another type for missing', () => {
    const [first] = parseCollection(table({ mean_intensity: ['high', 90, null], pyramid: ['yes', false, false] }), ADDRESS).panoramas;
    expect([first?.mean, first?.pyramid]).toEqual([null, false]);
  });
});

describe('the plane', () => {
  const points = pointsOf(parseCollection(table(), ADDRESS).panoramas);

  it('has a point for each panorama that has a nucleus', () => {
    expect(points.map(({ panorama: { name }, x, y }) => [name, x, y])).toEqual([
      ['Run1TL_top_left', 22, 77.5],
      ['Run2TL_top_left', 30, 90],
    ]);
  });

  it('averages over panoramas', () => {
    expect(averagesOf(points)).toEqual({ count: 2, nuclei: 52, x: 26, y: 83.75, spread: 66.5 });
    expect(averagesOf([])).toBeNull();
  });
});
