import { isHere, viewerAddress, viewerButton, viewerLink, type Around } from './goto';
import { PUBLISHED } from './layers';
import { viewsOf } from './linking';
import type { ListedPanorama } from './panoramalist';

/** Where the nucleus of a cell is shown, in words, and what leads there. */
export interface Where {
  words: (string | Node)[];
  go: HTMLElement | null;
}

/** Says that there is no image of a panorama, and where one of the published representatives, which have a rank, is seen. */
export function noImage(layer: string | null, rank: number | null): (string | Node)[] {
  if (layer !== PUBLISHED) return ['There is no image of this panorama here.'];
  if (rank === null) return ['The pixels of published panoramas are not part of this build.'];
  const link = document.createElement('a');
  link.href = 'https://russellbarkley.github.io/cellpose_masks';
  link.textContent = 'russellbarkley.github.io/cellpose_masks';
  return ['The pixels of published panoramas are not part of this build; see this one and its masks at ', link, '.'];
}

/**
 * Where a nucleus is shown: in a view of this page, where views are linked, or at the address of a viewer. `panorama` is
 * undefined while nothing is known of any.
 */
export function whereShown(
  of: Around,
  name: string,
  roi: number | null,
  panorama: ListedPanorama | null | undefined,
): Where {
  const view = of.linked ? viewsOf(name, of.layer)[0] : undefined;
  const address = viewerAddress(of, name, roi);
  if (view === undefined && panorama?.pyramid !== true && (panorama?.preview ?? null) === null) {
    return { words: panorama === undefined && of.layer !== PUBLISHED ? [] : noImage(of.layer, panorama?.rank ?? null), go: null };
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
  return { words: words === '' ? [] : [words], go };
}
