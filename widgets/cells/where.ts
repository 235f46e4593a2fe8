import { fetchText } from '../shared/files';
import { isRecord, numberOf, resolve, textOf } from '../shared/json';

/** What there is to see of a panorama. */
export interface PanoramaFacts {
  /** Whether a viewer can zoom into it. */
  pyramid: boolean;
  /** Address of a small picture of all of it. */
  preview: string | null;
  width: number | null;
  height: number | null;
}

/** Fetches a `panoramas.json`: what there is of each panorama, by name. Without it, nothing is known of any. */
export async function fetchPanoramas(address: string, signal: AbortSignal): Promise<Map<string, PanoramaFacts>> {
  const text = await fetchText(address, 'The list of panoramas', signal).catch(() => '');
  return parsePanoramas(text, address);
}

export function parsePanoramas(text: string, address: string): Map<string, PanoramaFacts> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Map();
  }
  const columns = isRecord(value) && isRecord(value.columns) ? value.columns : {};
  const column = (name: string): unknown[] => {
    const values = columns[name];
    return Array.isArray(values) ? values : [];
  };
  const [pyramids, previews, widths, heights] = ['pyramid', 'preview', 'width_px', 'height_px'].map(column);
  return new Map(
    column('panorama').flatMap((entry, at): [string, PanoramaFacts][] => {
      const name = textOf(entry);
      if (name === null) return [];
      const preview = resolve(textOf(previews?.[at]), address);
      return [[name, { pyramid: pyramids?.[at] === true, preview, width: numberOf(widths?.[at]), height: numberOf(heights?.[at]) }]];
    }),
  );
}
