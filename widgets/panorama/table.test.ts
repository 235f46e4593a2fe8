import { describe, expect, it } from 'vitest';
import { parseNuclei } from './nuclei';
import { csvOf, nucleiIn } from './table';

const nuclei = parseNuclei(
  JSON.stringify({ columns: { roi: [2, 1, 3], x_px: [80, 8, 16], y_px: [8, 8, 80], area_um2: [2.5, null, 3], class: ['a,b', 'x', null] } }),
);

describe('the table of nuclei in view', () => {
  it('has those whose centroid is in view, in order of their numbers', () => {
    expect(nucleiIn(nuclei, { x: 0, y: 0, width: 100, height: 20 }).map(({ roi }) => roi)).toEqual([1, 2]);
  });

  it('has the panorama and every column, and centroids in micrometres', () => {
    const rows = nucleiIn(nuclei, { x: 0, y: 0, width: 100, height: 20 });
    expect(csvOf('P"1', nuclei, rows, 8)).toBe(
      'panorama,roi,x_px,y_px,x_um,y_um,area_um2,class\r\n"P""1",1,8,8,1,1,,x\r\n"P""1",2,80,8,10,1,2.5,"a,b"\r\n',
    );
    expect(csvOf('P', nuclei, [], null)).toBe('panorama,roi,x_px,y_px,area_um2,class\r\n');
  });
});
