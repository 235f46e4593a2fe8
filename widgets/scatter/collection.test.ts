import { describe, expect, it } from 'vitest';
import { parsePanoramaList } from '../shared/panoramalist';
import { averagesOf, counted, pointsOf } from './collection';

const COLUMNS = {
  panorama: ['Run1TL_top_left', 'Run2TL_top_left', 'empty'],
  num_rois: [22, 30, 0],
  mean_intensity: [77.5, 90, null],
  std_intensity: [62.5, 70.5, null],
};
const listed = (changes: object = {}) =>
  parsePanoramaList(JSON.stringify({ columns: { ...COLUMNS, ...changes } }), 'http://book.example/panoramas.json').panoramas;

describe('the plane', () => {
  const points = pointsOf(counted(listed()));

  it('has a point for each panorama that has a nucleus', () => {
    expect(points.map(({ panorama: { name }, x, y }) => [name, x, y])).toEqual([
      ['Run1TL_top_left', 22, 77.5],
      ['Run2TL_top_left', 30, 90],
    ]);
  });

  it('has no place for a panorama whose nuclei are not counted', () => {
    expect(() => counted(listed({ num_rois: [1, null, 3] }))).toThrow('Run2TL_top_left has no number of nuclei');
  });

  it('averages over panoramas', () => {
    expect(averagesOf(points)).toEqual({ count: 2, nuclei: 52, x: 26, y: 83.75, spread: 66.5 });
    expect(averagesOf([])).toBeNull();
  });
});
