import { isRecord, numberOf, textOf } from '../shared/json';
import { Problem } from '../shared/problem';
import { KINDS, parseMistakes, type Mistake, type MistakeKind } from '../panorama/mistakes';

/** The name of the true nuclei among the methods. */
export const TRUTH = 'truth';

/** What masks get wrong. */
export interface Method {
  name: string;
  title: string;
  mistakes: Mistake[];
  /** What a method gets wrong about a true nucleus, by its label. */
  about: ReadonlyMap<number, MistakeKind>;
}

export interface Comparison {
  title: string;
  width: number;
  height: number;
  pxPerUm: number | null;
  nuclei: number;
  /** The true nuclei, then the methods. */
  methods: Method[];
}

/** Colours of mistakes, as in print; what is right is white. */
export const COLOURS: Record<MistakeKind, string> = { missed: '#d55e00', spurious: '#f0e442', split: '#56b4e9', merged: '#cc79a7' };

export const MEANING: Record<MistakeKind, string> = {
  missed: 'masks cover less than half of the nucleus',
  spurious: 'no nuclei are under most of the mask',
  split: 'several masks have most of their area in the nucleus',
  merged: 'the mask has most of several nuclei',
};

/** Reads the text of a `methods.json`. */
export function parseComparison(text: string): Comparison {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const fault = (what: string) => new Problem(`The list of methods is damaged: it has no ${what}.`);
  if (!isRecord(value) || !Array.isArray(value.methods) || value.methods.length === 0) throw fault('methods');
  const [width, height] = [numberOf(value.width), numberOf(value.height)];
  if (width === null || height === null || width <= 0 || height <= 0) throw fault('size');
  const methods = value.methods.map((entry: unknown): Method => {
    const name = isRecord(entry) ? textOf(entry.name) : null;
    if (!isRecord(entry) || name === null || !/^[\w-]+$/.test(name)) throw fault('name of a method');
    return { name, title: textOf(entry.title) ?? name, mistakes: parseMistakes(JSON.stringify({ columns: entry.columns })), about: aboutNuclei(entry.nuclei) };
  });
  const truth: Method = { name: TRUTH, title: 'Truth', mistakes: [], about: new Map() };
  return {
    title: textOf(value.title) ?? '',
    width,
    height,
    pxPerUm: numberOf(value.px_per_um),
    nuclei: numberOf(value.nuclei) ?? 0,
    methods: [truth, ...methods],
  };
}

function aboutNuclei(value: unknown): Map<number, MistakeKind> {
  const about = new Map<number, MistakeKind>();
  if (!isRecord(value)) return about;
  for (const kind of KINDS) {
    const labels: unknown = value[kind];
    if (!Array.isArray(labels)) continue;
    for (const label of labels) if (typeof label === 'number') about.set(label, kind);
  }
  return about;
}

/** The kind of mistake of each mask that is one: spurious or merged. */
export function wrongMasks({ mistakes }: Method): Map<number, MistakeKind> {
  return new Map(mistakes.filter(({ kind }) => kind === 'spurious' || kind === 'merged').map(({ label, kind }) => [label, kind]));
}

/** The kind of mistake of each true nucleus that is outlined for it: missed or split. */
export function wrongNuclei({ mistakes }: Method): Map<number, MistakeKind> {
  return new Map(mistakes.filter(({ kind }) => kind === 'missed' || kind === 'split').map(({ label, kind }) => [label, kind]));
}

/** What all methods make of a true nucleus, in words. */
export function verdicts(methods: readonly Method[], nucleus: number): string {
  const words = new Map<string, string[]>();
  for (const { name, title, about } of methods) {
    if (name === TRUTH) continue;
    const verdict = about.get(nucleus) ?? 'right';
    words.set(verdict, [...(words.get(verdict) ?? []), title]);
  }
  const right = words.get('right');
  words.delete('right');
  if (words.size === 0) return 'right with every method';
  const wrong = [...words].map(([verdict, titles]) => `${verdict} by ${titles.join(', ')}`);
  return [...wrong, right ? `right with ${right.join(', ')}` : ''].filter(Boolean).join('; ');
}

/** The mistake after another, from the top to the bottom and round again; `step` -1 goes back. */
export function mistakeAfter(mistakes: readonly Mistake[], last: Mistake | null, step: 1 | -1): Mistake | null {
  const sorted = [...mistakes].sort((a, b) => a.y - b.y || a.x - b.x);
  const at = last === null ? -1 : sorted.findIndex(({ kind, label }) => kind === last.kind && label === last.label);
  const next = at < 0 ? (step > 0 ? 0 : sorted.length - 1) : (at + step + sorted.length) % sorted.length;
  return sorted[next] ?? null;
}
