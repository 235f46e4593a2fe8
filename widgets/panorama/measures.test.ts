import { describe as group, expect, it } from 'vitest';
import { colourOfValue, describe, measuresOf, pixelsOf, scaleOf, UNKNOWN, valueText } from './measures';
import { parseNuclei } from './nuclei';

const many = Array.from({ length: 101 }, (_, at) => at);
const nuclei = parseNuclei(
  JSON.stringify({
    columns: {
      roi: many.map((at) => 101 - at),
      x_px: many,
      y_px: many,
      area_um2: many.map((at) => (at === 100 ? 5000 : at)),
      class: many.map((at) => (at === 0 ? null : at < 4 ? 'metaphase' : 'interphase')),
      confidence: many.map(() => null),
      neighbour_distance_um: many.map(() => 1),
    },
  }),
);

group('measures', () => {
  it('are the columns that say something, in words and with units', () => {
    expect(measuresOf(nuclei).map(({ column }) => column)).toEqual(['area_um2', 'class', 'neighbour_distance_um']);
    expect(describe('area_um2')).toEqual({ column: 'area_um2', name: 'Area', unit: 'µm²' });
    expect(describe('neighbour_distance_um')).toMatchObject({ name: 'Neighbour distance', unit: 'µm' });
    expect(valueText(12.345, describe('area_um2'))).toBe('12.3 µm²');
  });

  it('are read by the number of the nucleus, in whatever order the table is', () => {
    expect(nuclei.value(101, 'area_um2')).toBe(0);
    expect(nuclei.value(1, 'area_um2')).toBe(5000);
    expect(nuclei.value(99, 'class')).toBe('metaphase');
    expect(nuclei.value(999, 'class')).toBeNull();
  });
});

group('scaleOf', () => {
  it('leaves odd nuclei beyond the ends, and says so', () => {
    expect(scaleOf(nuclei, 'area_um2')).toEqual({ kind: 'range', least: 2, most: 98, below: true, above: true });
    expect(scaleOf(nuclei, 'nothing')).toBeNull();
  });

  it('gives each class a colour, the most frequent one first', () => {
    const scale = scaleOf(nuclei, 'class');
    expect(scale?.kind === 'classes' && scale.classes.map(({ name, count }) => [name, count])).toEqual([['interphase', 97], ['metaphase', 3]]);
    expect(scale).toMatchObject({ unknown: 1 });
    expect(scale && colourOfValue(scale, null)).toBe(UNKNOWN);
    expect(scale && colourOfValue(scale, 'metaphase')).toBe('#56b4e9');
  });

  it('runs from dark to light', () => {
    const scale = { kind: 'range', least: 0, most: 10, below: false, above: false } as const;
    expect([-1, 0, 10, 11].map((value) => colourOfValue(scale, value))).toEqual(['#440154', '#440154', '#fde725', '#fde725']);
    expect(pixelsOf(nuclei, 'area_um2', scale).get(101)).toBe(0xff540144);
  });
});
