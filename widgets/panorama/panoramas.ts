import { isRecord, numberOf, resolve, textOf } from '../shared/json';
import type { ListedPanorama } from '../shared/panoramalist';
import { Problem } from '../shared/problem';

/** One panorama of the index, its addresses made absolute. */
export interface Panorama {
  name: string;
  width: number;
  height: number;
  /** Image pixels a micrometre, where known. */
  pxPerUm: number | null;
  intensity: string;
  /** Address of the label pyramid, where there are masks. */
  labels: string | null;
  /** Address of the measurements of its nuclei, where there are any. */
  nuclei: string | null;
  /** Address of the true mask's pyramid, and of what the masks get wrong, where the truth is known. */
  truth: string | null;
  mistakes: string | null;
  /** Whether `intensity` is not a pyramid but a single small picture. */
  preview: boolean;
  rank: number | null;
  distance: number | null;
  rois: number | null;
  meanIntensity: number | null;
  stdIntensity: number | null;
}

/** The panoramas that can be shown, by rank, and a note on all of them. */
export interface PanoramaIndex {
  /** Its own, which others are relative to. */
  address: string;
  note: string;
  panoramas: Panorama[];
}

/** Reads the text of an index JSON; addresses in it are relative to `address`, its own. */
export function parseIndex(text: string, address: string): PanoramaIndex {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem('The list of panoramas is damaged and cannot be read.');
  }
  if (!isRecord(value) || !Array.isArray(value.panoramas)) {
    throw new Problem('The list of panoramas is damaged: it names no panoramas.');
  }
  const panoramas = value.panoramas.map((entry: unknown, at) => parsePanorama(entry, at + 1, address));
  const rank = (panorama: Panorama) => panorama.rank ?? Number.POSITIVE_INFINITY;
  // Equal ranks, and panoramas without one, keep the order of the file.
  panoramas.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  return { address, note: textOf(value.note) ?? '', panoramas };
}

function parsePanorama(entry: unknown, position: number, address: string): Panorama {
  const fault = (what: string) => new Problem(`The list of panoramas is damaged: entry ${position} has no ${what}.`);
  if (!isRecord(entry)) throw fault('contents');
  const name = textOf(entry.panorama);
  const width = numberOf(entry.width);
  const height = numberOf(entry.height);
  const intensity = resolve(textOf(entry.intensity), address);
  if (name === null) throw fault('name');
  if (width === null || height === null || width <= 0 || height <= 0) throw fault('size');
  if (intensity === null) throw fault('image');
  const pxPerUm = numberOf(entry.px_per_um);
  return {
    name,
    width,
    height,
    pxPerUm: pxPerUm !== null && pxPerUm > 0 ? pxPerUm : null,
    intensity,
    labels: resolve(textOf(entry.labels), address),
    nuclei: resolve(textOf(entry.nuclei), address),
    truth: resolve(textOf(entry.truth), address),
    mistakes: resolve(textOf(entry.mistakes), address),
    preview: false,
    rank: numberOf(entry.rank),
    distance: numberOf(entry.distance),
    rois: numberOf(entry.num_rois),
    meanIntensity: numberOf(entry.mean_intensity),
    stdIntensity: numberOf(entry.std_intensity),
  };
}

/** A panorama of the list of all: its tiles, or else a small picture alone; null where there is not even that. */
export function listedPanorama({ name, tiles, nuclei, truth, preview, width, height, pxPerUm, rank, rois, mean, spread }: ListedPanorama): Panorama | null {
  const full = tiles !== null && width !== null && height !== null;
  const intensity = full ? `${tiles}/intensity.dzi` : preview;
  if (intensity === null) return null;
  return {
    name,
    // Those of the panorama where known, else the picture's own once it has loaded.
    width: width ?? 0,
    height: height ?? 0,
    pxPerUm,
    intensity,
    labels: full ? `${tiles}/labels.dzi` : null,
    nuclei: full ? nuclei : null,
    truth: full && truth ? `${tiles}/truth.dzi` : null,
    mistakes: full && truth ? `${tiles}/mistakes.json` : null,
    preview: !full,
    rank,
    distance: null,
    rois,
    meanIntensity: mean,
    stdIntensity: spread,
  };
}
