import { describe, expect, it } from 'vitest';
import { destinations, Finder } from './finding';
import type { Panorama } from './panoramas';

const panorama = (name: string): Panorama => ({
  name,
  width: 3000,
  height: 2000,
  pxPerUm: 8,
  intensity: '',
  labels: 'labels.dzi',
  nuclei: null,
  truth: null,
  mistakes: null,
  preview: false,
  rank: null,
  distance: null,
  rois: null,
  meanIntensity: null,
  stdIntensity: null,
});
const names = ['Run1TL_top_left', 'Run1TL_top_right', 'Run12TL_top_left', 'Run2BR_bottom_right'];
const all = names.map(panorama);
const finder = new Finder(all);
const [open = panorama('')] = all;
const seen = (text: string, most = 8) =>
  destinations(text, finder, open, most).destinations.map((one) =>
    one.kind === 'place' ? [one.x, one.y] : one.kind === 'nucleus' ? `${one.panorama.name} ${one.roi}` : one.panorama.name,
  );

describe('destinations', () => {
  it('are panoramas by parts of their names, in any order, the exact one first', () => {
    expect(seen('run1tl')).toEqual(['Run1TL_top_left', 'Run1TL_top_right']);
    expect(seen('left run1')).toEqual(['Run1TL_top_left', 'Run12TL_top_left']);
    expect(seen('nothing')).toEqual([]);
    expect(seen('')).toEqual(names);
  });

  it('are a nucleus of the open panorama or of a named one', () => {
    expect(seen('roi 12')).toContain('Run1TL_top_left 12');
    expect(seen('12')[0]).toBe('Run1TL_top_left 12');
    expect(seen('Run2BR_bottom_right_ROI_7')).toEqual(['Run2BR_bottom_right 7']);
    expect(seen('Run2 #7')).toEqual(['Run2BR_bottom_right 7']);
    expect(seen('roi 0')).toEqual([]);
  });

  it('are a place in pixels or micrometres, inside of the panorama', () => {
    expect(seen('1200, 900')).toEqual([[1200, 900]]);
    expect(seen('x 1200 y 900 px')).toEqual([[1200, 900]]);
    expect(seen('150,100 µm')).toEqual([[1200, 800]]);
    expect(seen('150 100um')).toEqual([[1200, 800]]);
    expect(seen('9000, 900')).toEqual([]);
  });

  it('says how many more panoramas there are', () => {
    expect(destinations('run', finder, open, 2)).toMatchObject({ more: 2 });
  });

  it('searches 16,000 names while a letter is typed', () => {
    const many = Array.from({ length: 16_000 }, (_, at) => panorama(`Run${at % 97}TL_crop_${at}`));
    const large = new Finder(many);
    destinations('run9 crop', large, open, 8);
    const start = performance.now();
    const { destinations: found, more } = destinations('crop_159 run9', large, open, 8);
    expect(performance.now() - start).toBeLessThan(50);
    expect(found).toHaveLength(8);
    expect(more).toBeGreaterThan(0);
  });
});
