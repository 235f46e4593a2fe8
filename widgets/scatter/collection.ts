import { isRecord, numberOf, resolve, textOf } from '../shared/json';
import { Problem } from '../shared/problem';

/** One panorama of an edition, with the values that the plane and its colours show. */
export interface Panorama {
  name: string;
  run: number | null;
  passage: string | null;
  rois: number;
  /** Grey levels of all pixels inside masks; null where there is no nucleus, and so no place in the plane. */
  mean: number | null;
  spread: number | null;
  /** Place among those nearest the centroid, from 1. */
  rank: number | null;
  /** Whether a panorama viewer can show it at full size. */
  pyramid: boolean;
  /** Address of a small picture of it. */
  preview: string | null;
}

export interface Collection {
  note: string;
  panoramas: Panorama[];
}

/** A panorama's place in the plane. */
export interface Point {
  panorama: Panorama;
  /** Nuclei. */
  x: number;
  /** Mean grey level. */
  y: number;
}

/** Reads the text of a `panoramas.json`: a column a value, an entry a panorama; addresses are relative to its own. */
export function parseCollection(text: string, address: string): Collection {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem('The table of panoramas is damaged and cannot be read.');
  }
  const columns = isRecord(value) ? value.columns : null;
  if (!isRecord(value) || !isRecord(columns) || !Array.isArray(columns.panorama)) {
    throw new Problem('The table of panoramas is damaged: it names no panoramas.');
  }
  const count = columns.panorama.length;
  const column = (name: string): unknown[] => {
    const values = columns[name];
    if (!Array.isArray(values)) return [];
    if (values.length === count) return values;
    throw new Problem(`The table of panoramas is damaged: its column ${name} has ${values.length} of ${count} entries.`);
  };
  const names = column('panorama');
  const runs = column('run');
  const passages = column('passage');
  const rois = column('num_rois');
  const means = column('mean_intensity');
  const spreads = column('std_intensity');
  const ranks = column('rank');
  const pyramids = column('pyramid');
  const previews = column('preview');
  const panoramas = names.map((entry, at): Panorama => {
    const name = textOf(entry);
    const nuclei = numberOf(rois[at]);
    if (name === null) throw new Problem(`The table of panoramas is damaged: entry ${at + 1} has no name.`);
    if (nuclei === null) throw new Problem(`The table of panoramas is damaged: ${name} has no number of nuclei.`);
    return {
      name,
      run: numberOf(runs[at]),
      passage: textOf(passages[at]),
      rois: nuclei,
      mean: numberOf(means[at]),
      spread: numberOf(spreads[at]),
      rank: numberOf(ranks[at]),
      pyramid: pyramids[at] === true,
      preview: resolve(textOf(previews[at]), address),
    };
  });
  return { note: textOf(value.note) ?? '', panoramas };
}

/** The places of those panoramas that have one. */
export function pointsOf(panoramas: Panorama[]): Point[] {
  return panoramas.flatMap((panorama) =>
    panorama.mean === null ? [] : [{ panorama, x: panorama.rois, y: panorama.mean }],
  );
}

/** What several panoramas are on average; null without any. */
export interface Averages {
  count: number;
  nuclei: number;
  x: number;
  y: number;
  spread: number | null;
}

export function averagesOf(points: Point[]): Averages | null {
  if (points.length === 0) return null;
  const nuclei = sum(points.map(({ x }) => x));
  const spreads = points.flatMap(({ panorama: { spread } }) => (spread === null ? [] : [spread]));
  return {
    count: points.length,
    nuclei,
    x: nuclei / points.length,
    y: sum(points.map(({ y }) => y)) / points.length,
    spread: spreads.length > 0 ? sum(spreads) / spreads.length : null,
  };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
