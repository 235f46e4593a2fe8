import { colourAt } from '../shared/colourmaps';
import { rounded } from '../shared/text';
import type { Nuclei } from './nuclei';
import { pixelOf } from './palette';

/** What masks can be coloured by: a column of the table of nuclei, its name in words, and its unit. */
export interface Measure {
  column: string;
  name: string;
  unit: string;
}

/** How nuclei are coloured by a measure. */
export type Scale =
  | { kind: 'range'; least: number; most: number; /** Whether some values are beyond the two ends. */ below: boolean; above: boolean }
  | { kind: 'classes'; classes: { name: string; colour: string; count: number }[]; /** How many nuclei have no class that is known. */ unknown: number };

/** Where a nucleus is, and what it is called, is no measure of it. */
const NO_MEASURES = new Set(['roi', 'x_px', 'y_px', 'left_px', 'top_px']);
const NAMES: Partial<Record<string, [name: string, unit: string]>> = {
  area_um2: ['Area', 'µm²'],
  mean_intensity: ['Mean intensity', 'grey levels'],
  std_intensity: ['Standard deviation of intensity', 'grey levels'],
  class: ['Class', ''],
  confidence: ['Confidence', ''],
  width_px: ['Width', 'px'],
  height_px: ['Height', 'px'],
};
const UNITS: [end: RegExp, unit: string][] = [[/_um2$/, 'µm²'], [/_um$/, 'µm'], [/_px2$/, 'px²'], [/_px$/, 'px']];
/** Share of nuclei beyond each end of a range, so that one odd nucleus does not take all colours. */
const BEYOND = 0.02;
/** Okabe and Ito's colours, which colour-blind readers tell apart, without black. */
const CLASS_COLOURS = ['#e69f00', '#56b4e9', '#009e73', '#f0e442', '#0072b2', '#d55e00', '#cc79a7', '#999999'] as const;
export const UNKNOWN = '#888888';

/** The measures that a table of nuclei has. */
export function measuresOf(nuclei: Nuclei): Measure[] {
  return [...nuclei.columns].flatMap(([column, values]) => {
    if (NO_MEASURES.has(column) || values.every((value) => value === null)) return [];
    return [describe(column)];
  });
}

export function describe(column: string): Measure {
  const [name, unit] = NAMES[column] ?? [];
  if (name !== undefined && unit !== undefined) return { column, name, unit };
  const [end, ofEnd] = UNITS.find(([one]) => one.test(column)) ?? [/$/, ''];
  const words = column.replace(end, '').replaceAll('_', ' ');
  return { column, name: words.charAt(0).toUpperCase() + words.slice(1), unit: ofEnd };
}

/** The scale of colours of a column; null where the table has none of it. */
export function scaleOf(nuclei: Nuclei, column: string): Scale | null {
  const values = (nuclei.columns.get(column) ?? []).filter((value) => value !== null);
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  if (values.length === 0) return null;
  if (numbers.length === values.length) {
    const at = (share: number) => numbers[Math.round(share * (numbers.length - 1))] ?? 0;
    const [least, most] = [at(BEYOND), at(1 - BEYOND)];
    return { kind: 'range', least, most, below: at(0) < least, above: at(1) > most };
  }
  const counts = new Map<string, number>();
  for (const value of values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const sorted = [...counts].sort(([a, many], [b, others]) => others - many || a.localeCompare(b));
  const classes = sorted.map(([name, count], at) => ({ name, count, colour: CLASS_COLOURS[at % CLASS_COLOURS.length] ?? UNKNOWN }));
  return { kind: 'classes', classes, unknown: nuclei.all.length - values.length };
}

/** The CSS colour of a value on a scale. */
export function colourOfValue(scale: Scale, value: number | string | null): string {
  if (value === null) return UNKNOWN;
  if (scale.kind === 'classes') return scale.classes.find(({ name }) => name === String(value))?.colour ?? UNKNOWN;
  const { least, most } = scale;
  const level = most > least ? (Number(value) - least) / (most - least) : 0.5;
  return `#${colourAt('viridis', Math.min(1, Math.max(0, level))).map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** The colour of each nucleus, as pixels of an ImageData. */
export function pixelsOf(nuclei: Nuclei, column: string, scale: Scale): Map<number, number> {
  const known = new Map<string, number>();
  const values = nuclei.columns.get(column) ?? [];
  return new Map(
    nuclei.all.map(({ roi }, at) => {
      const colour = colourOfValue(scale, values[at] ?? null);
      let pixel = known.get(colour);
      if (pixel === undefined) known.set(colour, (pixel = pixelOf(colour)));
      return [roi, pixel];
    }),
  );
}

/** A value with its unit. */
export function valueText(value: number | string | null, { unit }: Measure): string | null {
  if (value === null) return null;
  return `${typeof value === 'number' ? rounded(value) : value}${unit === '' || unit === 'grey levels' ? '' : ` ${unit}`}`;
}
