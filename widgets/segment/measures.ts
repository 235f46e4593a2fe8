import type { Columns } from '../scatter/axes';
import type { Nucleus } from './masks';

/* What is measured of nuclei, as values of points in a plane. */

export const MEASURES = ['area', 'mean', 'sd', 'width', 'height', 'x', 'y', 'confidence'] as const;
export type MeasureName = (typeof MEASURES)[number];

interface Kind {
  name: string;
  /** Of lengths 1, of areas 2; 0 of what has no unit of place. */
  power: 0 | 1 | 2;
  unit: string;
}

const KINDS: Record<MeasureName, Kind> = {
  area: { name: 'Area', power: 2, unit: '' },
  mean: { name: 'Mean intensity', power: 0, unit: 'grey levels' },
  sd: { name: 'Standard deviation of intensity', power: 0, unit: 'grey levels' },
  width: { name: 'Width', power: 1, unit: '' },
  height: { name: 'Height', power: 1, unit: '' },
  x: { name: 'Position x', power: 1, unit: '' },
  y: { name: 'Position y', power: 1, unit: '' },
  confidence: { name: 'Confidence', power: 0, unit: '' },
};

export function nameOf(measure: MeasureName): string {
  return KINDS[measure].name;
}

/** A measure as the title of an axis, with its unit. */
export function titleOf(measure: MeasureName, pxPerUm: number | null): string {
  const { name } = KINDS[measure];
  const unit = unitOf(measure, pxPerUm);
  return unit === '' ? name : `${name} (${unit})`;
}

export function unitOf(measure: MeasureName, pxPerUm: number | null): string {
  const { power, unit } = KINDS[measure];
  if (power === 0) return unit;
  return `${pxPerUm === null ? 'px' : 'µm'}${power === 2 ? '²' : ''}`;
}

/** The value of a nucleus in the unit of `titleOf`; null where it has none. */
export function valueOf(nucleus: Nucleus, measure: MeasureName, pxPerUm: number | null): number | null {
  const value = nucleus[measure];
  return value === null || !Number.isFinite(value) ? null : value / (pxPerUm ?? 1) ** KINDS[measure].power;
}

/** Nuclei that have both values of a plane, and these values. */
export interface Plane {
  nuclei: Nucleus[];
  points: Columns;
}

export function planeOf(nuclei: readonly Nucleus[], x: MeasureName, y: MeasureName, pxPerUm: number | null): Plane {
  const [shown, xs, ys]: [Nucleus[], number[], number[]] = [[], [], []];
  for (const nucleus of nuclei) {
    const [across, upwards] = [valueOf(nucleus, x, pxPerUm), valueOf(nucleus, y, pxPerUm)];
    if (across === null || upwards === null) continue;
    shown.push(nucleus);
    xs.push(across);
    ys.push(upwards);
  }
  return { nuclei: shown, points: { x: Float64Array.from(xs), y: Float64Array.from(ys) } };
}
