import { colourAt } from '../shared/colourmaps';
import type { Panorama } from './collection';

export const BY = ['std', 'run', 'passage'] as const;
export type By = (typeof BY)[number];

/** Steps of the colour scale; the last level of a colouring is for what has no value. */
export const LEVELS = 64;
export const NO_VALUE = LEVELS;

/** How panoramas are coloured. */
export interface Colouring {
  /** A level a panorama, 0 to `LEVELS - 1` along the scale, or `NO_VALUE`. */
  levels: Uint8Array;
  legend: Legend;
  /** Those of the same experiment or passage as each, where these are what is coloured. */
  groups: number[][];
}

export interface Legend {
  /** The ends of a continuous scale, or every step of one that has few. */
  steps: { text: string; level: number }[];
  continuous: boolean;
  /** How many have no value. */
  missing: number;
}

/** More steps than this are shown as a continuous scale. */
const FEW = 12;

/** Colours for panoramas by the spread of their brightness, or by the order of their experiments or passages. */
export function colouring(panoramas: Panorama[], by: By): Colouring {
  const keys = panoramas.map((panorama) => keyOf(panorama, by));
  const known = keys.filter((key) => key !== null);
  const missing = keys.length - known.length;
  const share = by === 'std' ? linear(known as number[]) : ordinal(known);
  const levels = Uint8Array.from(keys, (key) => (key === null ? NO_VALUE : levelOf(share.of(key))));
  const steps = share.steps.map((key) => ({ text: keyText(key, by), level: levelOf(share.of(key)) }));
  const continuous = by === 'std' || steps.length > FEW;
  const groups = by === 'std' ? keys.map(() => []) : groupsOf(keys);
  return { levels, legend: { steps: continuous ? ends(steps) : steps, continuous, missing }, groups };
}

/** The colour at a level of the scale. */
export function colourOf(level: number): string {
  return `rgb(${colourAt('viridis', level / (LEVELS - 1)).join(' ')})`;
}

/** The scale from end to end, for a style sheet. */
export const GRADIENT = `linear-gradient(to right, ${Array.from({ length: 17 }, (_, at) => colourOf((at / 16) * (LEVELS - 1))).join(', ')})`;

type Key = number | string;

function groupsOf(keys: (Key | null)[]): number[][] {
  const members = new Map<Key, number[]>();
  keys.forEach((key, at) => {
    if (key === null) return;
    const group = members.get(key);
    if (group) group.push(at);
    else members.set(key, [at]);
  });
  return keys.map((key) => (key === null ? [] : (members.get(key) ?? [])));
}

function keyOf({ spread, run, passage }: Panorama, by: By): Key | null {
  return { std: spread, run, passage }[by];
}

function keyText(key: Key, by: By): string {
  return by === 'std' ? Number(key).toFixed(1) : String(key);
}

function levelOf(share: number): number {
  return Math.round(share * (LEVELS - 1));
}

interface Share {
  steps: Key[];
  of(key: Key): number;
}

function linear(values: number[]): Share {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return {
    steps: values.length > 0 ? [least, most] : [],
    of: (key) => (most > least ? (Number(key) - least) / (most - least) : 0.5),
  };
}

/** Numbers in order, and names in the order in which a reader counts: P9 before P10. */
function ordinal(keys: Key[]): Share {
  const steps = [...new Set(keys)].sort((a, b) => String(a).localeCompare(String(b), 'en', { numeric: true }));
  const places = new Map(steps.map((key, at) => [key, steps.length > 1 ? at / (steps.length - 1) : 0.5]));
  return { steps, of: (key) => places.get(key) ?? 0 };
}

function ends<T>(steps: T[]): T[] {
  return steps.length > 2 ? steps.filter((_, at) => at === 0 || at === steps.length - 1) : steps;
}
