import { figureOf } from './elements';

const WHO_SHOWS = 'nnbook:who-shows';
const LEADS_TO = 'nnbook:leads-to';

interface Question {
  panorama: string;
  /** The layer that has it; null where layers are not named. */
  layer: string | null;
  answer(view: Element): void;
}

/** Answers, until the signal aborts, for a view that can show some panoramas of a layer: `view` is its host element. */
export function announce(view: Element, layer: string | null, shows: (panorama: string) => boolean, signal: AbortSignal): void {
  const listener = ({ detail }: CustomEvent<Question>) => {
    const sameLayer = layer === null || detail.layer === null || layer === detail.layer;
    if (view.isConnected && sameLayer && shows(detail.panorama)) detail.answer(view);
  };
  addEventListener(WHO_SHOWS, listener as EventListener, { signal });
}

/** The host elements of the page's views that can show a panorama, in whatever shadow roots they sit. */
export function viewsOf(panorama: string, layer: string | null): Element[] {
  const views: Element[] = [];
  const answer = (view: Element) => {
    views.push(view);
  };
  dispatchEvent(new CustomEvent<Question>(WHO_SHOWS, { detail: { panorama, layer, answer } }));
  return views;
}

/** How a reader is led to a view, which then announces what it shows. */
export interface Lead {
  /** The view's host element, or the figure that it is in. */
  to: Element;
  /** Whether what is chosen is to be seen closely. */
  closely: boolean;
  /** Whether the keyboard goes there too. */
  focus: boolean;
}

export function leadTo(detail: Lead): void {
  dispatchEvent(new CustomEvent<Lead>(LEADS_TO, { detail }));
}

/** Calls back, until the signal aborts, when a reader is led to the view of a host element. */
export function onLead(view: HTMLElement, led: (lead: Lead) => void, signal: AbortSignal): void {
  const listener = ({ detail }: CustomEvent<Lead>) => {
    if (detail.to === view || detail.to === figureOf(view)) led(detail);
  };
  addEventListener(LEADS_TO, listener as EventListener, { signal });
}
