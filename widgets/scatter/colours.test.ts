import { describe, expect, it } from 'vitest';
import type { Panorama } from './collection';
import { colouring, colourOf, LEVELS, NO_VALUE } from './colours';

const panorama = (changes: Partial<Panorama>): Panorama => ({
  name: 'a',
  run: null,
  passage: null,
  rois: 1,
  mean: 1,
  spread: null,
  rank: null,
  pyramid: false,
  tiles: null,
  nuclei: null,
  truth: false,
  preview: null,
  width: null,
  height: null,
  pxPerUm: null,
  ...changes,
});

describe('colouring', () => {
  it('by spread is linear from the least to the most', () => {
    const { levels, legend } = colouring([10, 20, 30].map((spread) => panorama({ spread })), 'std');
    expect([...levels]).toEqual([0, Math.round((LEVELS - 1) / 2), LEVELS - 1]);
    expect(legend).toEqual({ steps: [{ text: '10.0', level: 0 }, { text: '30.0', level: LEVELS - 1 }], continuous: true, missing: 0 });
  });

  it('by experiment or passage follows their order as a reader counts', () => {
    const panoramas = ['P10', 'P9', 'P10', 'P12'].map((passage, at) => panorama({ passage, run: 100 - at }));
    const { levels, legend, groups } = colouring(panoramas, 'passage');
    expect(legend.steps.map(({ text }) => text)).toEqual(['P9', 'P10', 'P12']);
    expect(legend.continuous).toBe(false);
    expect([...levels]).toEqual([32, 0, 32, 63]);
    expect(groups[2]).toEqual([0, 2]);
    expect(colouring(panoramas, 'run').legend.steps.map(({ text }) => text)).toEqual(['97', '98', '99', '100']);
    expect(colouring(panoramas, 'std').groups[2]).toEqual([]);
  });

  it('shows many experiments as a scale of which only the ends are named', () => {
    const { legend } = colouring(Array.from({ length: 100 }, (_, at) => panorama({ run: at + 1 })), 'run');
    expect([legend.continuous, legend.steps.map(({ text }) => text)]).toEqual([true, ['1', '100']]);
  });

  it('has a grey for what is not known, and a middle where all are equal', () => {
    const { levels, legend } = colouring([panorama({ run: 3 }), panorama({})], 'run');
    expect([...levels]).toEqual([32, NO_VALUE]);
    expect(legend.missing).toBe(1);
    expect(colouring([panorama({})], 'std').legend.steps).toEqual([]);
  });
});

describe('the scale', () => {
  const luminance = (level: number) => {
    const [r = 0, g = 0, b = 0] = (colourOf(level).match(/\d+/g) ?? []).map(Number).map((value) => (value / 255) ** 2.2);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  it('runs from the dark end of viridis to its bright one, each step lighter than the last', () => {
    expect([colourOf(0), colourOf(LEVELS - 1)]).toEqual(['rgb(68 1 84)', 'rgb(253 231 37)']);
    for (let level = 1; level < LEVELS; level++) expect(luminance(level)).toBeGreaterThan(luminance(level - 1));
  });

  it('is even: no step is more than three times as large in lightness as the mean one', () => {
    const lightness = (level: number) => Math.cbrt(luminance(level));
    const mean = (lightness(LEVELS - 1) - lightness(0)) / (LEVELS - 1);
    for (let level = 1; level < LEVELS; level++) expect(lightness(level) - lightness(level - 1)).toBeLessThan(3 * mean);
  });
});
