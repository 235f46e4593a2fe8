const WHO_SHOWS = 'nnbook:who-shows';

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
