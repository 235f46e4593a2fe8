import { fetchText } from './files';
import { isHere, viewerAddress, viewerButton, viewerLink } from './goto';
import { isRecord, numberOf, resolve, textOf } from './json';
import { viewsOf } from './linking';

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

/** Where the nucleus of a cell is shown, in words, and what leads there. */
export interface Where {
  words: string;
  go: HTMLElement | null;
}

/**
 * Where a nucleus is shown: in a view of this page, where views are `linked`, or at `viewer`, a page or a figure that has
 * a panorama viewer. `panorama` is undefined while nothing is known of any.
 */
export function whereShown(
  of: { viewer: string | null; linked: boolean },
  name: string,
  roi: number | null,
  panorama: PanoramaFacts | null | undefined,
): Where {
  const view = of.linked ? viewsOf(name)[0] : undefined;
  const address = viewerAddress(of.viewer, name, roi);
  if (view === undefined && panorama?.pyramid !== true && (panorama?.preview ?? null) === null) {
    return { words: panorama === undefined ? '' : 'This edition has no image of its panorama.', go: null };
  }
  const reduced = panorama?.pyramid === false && panorama.preview !== null;
  const here = view !== undefined || (address !== null && isHere(address));
  const go = view ? viewerButton(view) : address === null ? null : viewerLink(address);
  if (go) {
    if (here) go.textContent = 'Find it in the panorama';
    go.className = 'nn-button';
  }
  const words = reduced
    ? 'Of its panorama there is only a reduced image.'
    : here
      ? 'The panorama viewer on this page shows its nucleus.'
      : '';
  return { words, go };
}
