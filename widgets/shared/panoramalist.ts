import { fetchText } from './files';
import { isRecord, numberOf, resolver, textOf } from './json';
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

/** Stands for the name of the panorama in an address. */
const NAMED = '*';

/**
 * Reads the text of a `panoramas.json`: a column a value, an entry a panorama, or one entry that is that of all; addresses
 * are relative to its own.
 */
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
  const column = (name: string): ((at: number) => unknown) => {
    const values = columns[name];
    if (!Array.isArray(values)) return () => values;
    if (values.length === names.length) return (at) => values[at] as unknown;
    throw new Problem(`The table of panoramas is damaged: its column ${name} has ${values.length} of ${names.length} entries.`);
  };
  const absolute = resolver(address);
  const addresses = (name: string) => {
    const entry = column(name);
    return (at: number, panorama: string) => absolute(textOf(entry(at))?.replace(NAMED, () => panorama) ?? null);
  };
  const run = column('run');
  const passage = column('passage');
  const rois = column('num_rois');
  const mean = column('mean_intensity');
  const spread = column('std_intensity');
  const rank = column('rank');
  const pyramid = column('pyramid');
  const truth = column('truth');
  const width = column('width_px');
  const height = column('height_px');
  const scale = column('px_per_um');
  const [preview, tiles, nuclei] = [addresses('preview'), addresses('tiles'), addresses('nuclei')];
  const panoramas = names.map((entry, at): ListedPanorama => {
    const name = textOf(entry);
    if (name === null) throw new Problem(`The table of panoramas is damaged: entry ${at + 1} has no name.`);
    return {
      name,
      run: numberOf(run(at)),
      passage: textOf(passage(at)),
      rois: numberOf(rois(at)),
      mean: numberOf(mean(at)),
      spread: numberOf(spread(at)),
      rank: numberOf(rank(at)),
      pyramid: pyramid(at) === true,
      tiles: tiles(at, name),
      nuclei: nuclei(at, name),
      truth: truth(at) === true,
      preview: preview(at, name),
      width: numberOf(width(at)),
      height: numberOf(height(at)),
      pxPerUm: numberOf(scale(at)),
    };
  });
  return { note: textOf(value.note) ?? '', panoramas };
}
