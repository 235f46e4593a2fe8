import { announceChange, settle, withParameters } from './address';
import { leadTo } from './linking';

/** What a link of the text asks for: a figure of the page, and what the page's address is to say of its view. */
export interface Move {
  figure: string;
  values: [string, string | null][];
}

/**
 * Reads the fragment of a link that moves a view: `#FIGURE&NAME=VALUE&NAME=VALUE`, with the names that views have in the
 * page's address. `#fig1a&panorama=Run1TL_top_left&roi=12&view=900,640,400` shows a panorama, marks its nucleus 12, and has
 * the pixel 900, 640 in the middle of a view 400 px wide; `layer=twin` says which layer's panorama is meant, where
 * several have one of that name; values of a view with a name have that before them: `#fig1b&fig1b.draw=7`.
 */
export function parseMove(fragment: string): Move | null {
  const [figure = '', ...values] = fragment.replace(/^#/, '').split('&');
  if (figure === '' || values.length === 0) return null;
  const wanted = new Map<string, string | null>(new URLSearchParams(values.join('&')));
  // Who names another panorama means none of the nuclei of the one before, and none of its layer.
  if (wanted.has('panorama')) for (const name of ['roi', 'layer']) if (!wanted.has(name)) wanted.set(name, null);
  try {
    return { figure: decodeURIComponent(figure), values: [...wanted] };
  } catch {
    return null;
  }
}

/** How long a page may take to find its height. */
const GROWING_MS = 4000;

let following = false;

/**
 * Has links of the page that move a view do so, without loading the page again, now and when an address is opened. Each
 * bundle has a copy of this module: the first that notices a click takes it.
 */
export function followLinks(): void {
  if (following) return;
  following = true;
  document.addEventListener(
    'click',
    (event) => {
      if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const link = event.composedPath().find((node): node is HTMLAnchorElement => node instanceof HTMLAnchorElement);
      if (link?.target !== '' || link.origin !== location.origin || link.pathname !== location.pathname) return;
      const move = parseMove(link.hash);
      if (!move || !go(move, 'pushState')) return;
      event.preventDefault();
      const figure = document.getElementById(move.figure);
      // A press of a key has no count of clicks.
      if (figure) leadTo({ to: figure, closely: false, focus: event.detail === 0 });
    },
    { capture: true },
  );
  const arrive = () => {
    const move = parseMove(location.hash);
    if (move) go(move, 'replaceState');
  };
  addEventListener('hashchange', arrive);
  arrive();
}

/** Writes into the page's address what a move asks for, and brings its figure into view; false where the page has none. */
function go({ figure, values }: Move, write: 'pushState' | 'replaceState'): boolean {
  const element = document.getElementById(figure);
  if (!element) return false;
  settle();
  const search = withParameters(location.search, values);
  try {
    history[write](history.state, '', `${location.pathname}${search}#${encodeURIComponent(figure)}`);
  } catch {
    return false; // A frame without an address of its own.
  }
  announceChange();
  const calm = write === 'replaceState' || matchMedia('(prefers-reduced-motion: reduce)').matches;
  const scroll = (behavior: ScrollBehavior) => {
    element.scrollIntoView({ block: element.offsetHeight > innerHeight ? 'start' : 'center', behavior });
  };
  scroll(calm ? 'instant' : 'smooth');
  whilePageGrows(() => {
    scroll('instant');
  });
  return true;
}

/** Views above may still be loading, and take their room when they are there: calls back then, until the reader moves on. */
function whilePageGrows(grown: () => void): void {
  let height = document.documentElement.scrollHeight;
  const observer = new ResizeObserver(() => {
    if (document.documentElement.scrollHeight === height) return;
    height = document.documentElement.scrollHeight;
    grown();
  });
  observer.observe(document.body);
  const ended = new AbortController();
  const stop = () => {
    observer.disconnect();
    ended.abort();
  };
  for (const event of ['wheel', 'touchstart', 'pointerdown', 'keydown']) addEventListener(event, stop, { capture: true, passive: true, signal: ended.signal });
  setTimeout(stop, GROWING_MS);
}
