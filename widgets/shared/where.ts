import { isHere, viewerAddress, viewerButton, viewerLink } from './goto';
import { viewsOf } from './linking';
import type { ListedPanorama } from './panoramalist';

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
  panorama: ListedPanorama | null | undefined,
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
