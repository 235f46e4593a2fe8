const WHO_SHOWS = 'nnbook:who-shows';

interface Question {
  panorama: string;
  answer(view: Element): void;
}

/** Answers, until the signal aborts, for a view that can show some panoramas: `view` is its host element. */
export function announce(view: Element, shows: (panorama: string) => boolean, signal: AbortSignal): void {
  const listener = ({ detail }: CustomEvent<Question>) => {
    if (view.isConnected && shows(detail.panorama)) detail.answer(view);
  };
  addEventListener(WHO_SHOWS, listener as EventListener, { signal });
}

/** The host elements of the page's views that can show a panorama, in whatever shadow roots they sit. */
export function viewsOf(panorama: string): Element[] {
  const views: Element[] = [];
  const answer = (view: Element) => {
    views.push(view);
  };
  dispatchEvent(new CustomEvent<Question>(WHO_SHOWS, { detail: { panorama, answer } }));
  return views;
}
