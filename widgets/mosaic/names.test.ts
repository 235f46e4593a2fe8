import { describe, expect, it } from 'vitest';
import { nameOf } from '../shared/text';
import { cellText, parseNames } from './names';

const WHOLE = {
  panoramas: ['Run1TL_top_left', 'Run2BR_top_left'],
  columns: {
    panorama: [0, 1, 1],
    roi: [5, 5, 9],
    area_um2: [211.26, null, 99],
    mean_intensity: [63.2, null, 20.55],
    class: ['telophase', null, null],
  },
};
const parsed = (columns: Record<string, unknown> = {}, count = 3) =>
  parseNames(JSON.stringify({ ...WHOLE, columns: { ...WHOLE.columns, ...columns } }), count);

describe('names of cells', () => {
  it('are those of their published files', () => {
    expect(parsed().all.map(nameOf)).toEqual(['Run1TL_top_left_ROI_5', 'Run2BR_top_left_ROI_5', 'Run2BR_top_left_ROI_9']);
  });

  it('are found by panorama and ROI', () => {
    const names = parsed();
    expect(names.find('Run2BR_top_left', 5)).toBe(1);
    expect(names.find('Run2BR_top_left', 6)).toBeNull();
    expect(names.find(null, 5)).toBeNull();
    expect(names.find('Run2BR_top_left', null)).toBeNull();
  });

  it('go with what is known of the cell, if anything is', () => {
    expect(parsed().all.map(cellText)).toEqual(['211 µm² · mean 63.2 · telophase', '', '99 µm² · mean 20.6']);
    expect(parsed({ class: undefined }).all[0]?.kind).toBeNull();
  });

  it.each([
    ['too few cells', () => parsed({}, 4)],
    ['an unknown panorama', () => parsed({ panorama: [0, 1, 2] })],
    ['a cell without a number', () => parsed({ roi: [5, null, 9] })],
    ['no columns', () => parseNames('{}', 3)],
    ['no JSON', () => parseNames('', 0)],
  ])('are refused as damaged where there is or are %s', (_, read) => {
    expect(read).toThrow('damaged');
  });
});
