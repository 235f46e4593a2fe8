import { fetchText } from './files';
import { isRecord, numberOf, resolve, textOf } from './json';
import { Problem } from './problem';

/** One panorama of an edition, as its `panoramas.json` lists it; addresses are absolute. */
export interface ListedPanorama {
  name: string;
  run: number | null;
  passage: string | null;
  /** Nuclei. */
  rois: number | null;
  /** Mean and standard deviation of the grey levels of all pixels inside masks; null without any. */
  mean: number | null;
  spread: number | null;
  /** Place among those nearest the centroid, from 1. */
  rank: number | null;
  /** Whether a panorama viewer can show it at full size. */
  pyramid: boolean;
  /** Address of the folder or the zip of its tiles, and of its nuclei. */
  tiles: string | null;
  nuclei: string | null;
  /** Whether the truth is among the tiles. */
  truth: boolean;
  /** Address of a small picture of all of it. */
  preview: string | null;
  width: number | null;
  height: number | null;
  /** Image pixels a micrometre, where known. */
  pxPerUm: number | null;
}

export interface PanoramaList {
  note: string;
  panoramas: ListedPanorama[];
}

/**
 * Fetches what an edition lists of its panoramas, by name, for a view that can do without: where the list is missing or
 * damaged, it is empty.
 */
export async function fetchPanoramas(address: string, signal: AbortSignal): Promise<Map<string, ListedPanorama>> {
  try {
    const { panoramas } = parsePanoramaList(await fetchText(address, 'The list of panoramas', signal), address);
    return new Map(panoramas.map((panorama) => [panorama.name, panorama]));
  } catch {
    return new Map();
  }
}

/** Reads the text of a `panoramas.json`: a column a value, an entry a panorama; addresses are relative to its own. */
export function parsePanoramaList(text: string, address: string): PanoramaList {
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
  const names: unknown[] = columns.panorama;
  const column = (name: string): unknown[] => {
    const values = columns[name];
    if (!Array.isArray(values)) return [];
    if (values.length === names.length) return values;
    throw new Problem(`The table of panoramas is damaged: its column ${name} has ${values.length} of ${names.length} entries.`);
  };
  const runs = column('run');
  const passages = column('passage');
  const rois = column('num_rois');
  const means = column('mean_intensity');
  const spreads = column('std_intensity');
  const ranks = column('rank');
  const pyramids = column('pyramid');
  const previews = column('preview');
  const tiles = column('tiles');
  const nuclei = column('nuclei');
  const truths = column('truth');
  const widths = column('width_px');
  const heights = column('height_px');
  const scales = column('px_per_um');
  const panoramas = names.map((entry, at): ListedPanorama => {
    const name = textOf(entry);
    if (name === null) throw new Problem(`The table of panoramas is damaged: entry ${at + 1} has no name.`);
    return {
      name,
      run: numberOf(runs[at]),
      passage: textOf(passages[at]),
      rois: numberOf(rois[at]),
      mean: numberOf(means[at]),
      spread: numberOf(spreads[at]),
      rank: numberOf(ranks[at]),
      pyramid: pyramids[at] === true,
      tiles: resolve(textOf(tiles[at]), address),
      nuclei: resolve(textOf(nuclei[at]), address),
      truth: truths[at] === true,
      preview: resolve(textOf(previews[at]), address),
      width: numberOf(widths[at]),
      height: numberOf(heights[at]),
      pxPerUm: numberOf(scales[at]),
    };
  });
  return { note: textOf(value.note) ?? '', panoramas };
}
