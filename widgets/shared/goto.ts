import { withParameters } from './address';
import { textButton } from './elements';
import { leadTo } from './linking';

/** What a view has around it that shows panoramas. */
export interface Around {
  /** A page or a figure that has a panorama viewer. */
  viewer: string | null;
  /** Whether views of this page follow the choice. */
  linked: boolean;
  /** The layer whose panoramas are meant; null where layers are not named. */
  layer: string | null;
}

/** The address at which a panorama viewer shows a panorama or a nucleus of it. */
export function viewerAddress({ viewer, layer }: Around, panorama: string, roi: number | null): string | null {
  if (viewer === null || !URL.canParse(viewer, document.baseURI)) return null;
  const address = new URL(viewer, document.baseURI);
  if (!/^https?:$/.test(address.protocol)) return null;
  address.search = withParameters(isHere(address.href) ? location.search : address.search, [
    ['panorama', panorama],
    ['roi', roi === null ? null : String(roi)],
    ['layer', layer],
  ]);
  return address.href;
}

/** Whether an address leads to a part of this page. */
export function isHere(address: string): boolean {
  const { origin, pathname, hash } = new URL(address);
  const target = hash === '' ? null : document.getElementById(decodeURIComponent(hash.slice(1)));
  return origin === location.origin && pathname === location.pathname && target !== null;
}

/** A link to a viewer on this page, which has still to be loaded, or on another. */
export function viewerLink(address: string): HTMLElement {
  const link = document.createElement('a');
  // On this page only the jump is left to do: the address has the choice already.
  link.href = isHere(address) ? new URL(address).hash : address;
  link.textContent = isHere(address) ? 'Go to the viewer' : 'Open it in the panorama viewer';
  return link;
}

/** A button that brings a viewer of this page into view, and leads the keyboard there. */
export function viewerButton(view: Element): HTMLElement {
  const go = () => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    view.scrollIntoView({ block: 'center', behavior: calm ? 'instant' : 'smooth' });
    const inside = (view.shadowRoot ?? view).querySelector<HTMLElement>('[role="application"], select, button');
    inside?.focus({ preventScroll: true });
    leadTo({ to: view, closely: true, focus: false });
  };
  return textButton('Go to the viewer', go, '');
}
