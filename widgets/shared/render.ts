import { followLinks } from './guide';
import { renderLayers, type Layered, type LayerKind } from './layers';
import { textTrait, type Model } from './model';
import { Problem } from './problem';

/** A view as its host has it. */
export interface Shown extends Layered {
  readonly root: HTMLElement;
  destroy(): void;
}

/**
 * The `render` of a widget: makes a view, loads into it what the model names, and lets the reader try again where that
 * fails; `words` is the message of a failure of unknown cause. Where the model names `layers`, the view is one of a layer,
 * and is made anew for another.
 */
export function renderOf<View extends Shown>(
  make: (model: Model, el: HTMLElement, signal: AbortSignal) => View,
  load: (view: View, model: Model, signal: AbortSignal) => Promise<void>,
  words: string,
  layers: LayerKind | null = null,
): (host: { model: Model; el: HTMLElement; signal?: AbortSignal }) => () => void {
  return ({ model, el, signal }) => {
    const ended = new AbortController();
    const place = placeIn(el, model, ended.signal);
    const waiting = (of: Model, until: AbortSignal): View => {
      const view = make(of, place, until);
      until.addEventListener('abort', () => {
        view.destroy();
      });
      return view;
    };
    const mount = (of: Model, until: AbortSignal): View => {
      const view = waiting(of, until);
      const start = () => {
        load(view, of, until).catch((error: unknown) => {
          if (until.aborted) return;
          view.fail(error instanceof Problem ? error : new Problem(words), start);
        });
      };
      start();
      return view;
    };
    followLinks();
    if (layers === null || textTrait(model, 'layers') === null) mount(model, ended.signal);
    else renderLayers(model, place, layers, { mount, waiting }, ended.signal);
    const destroy = () => {
      ended.abort();
    };
    signal?.addEventListener('abort', destroy);
    return destroy;
  };
}

/**
 * Where a view is put: the host's element, which on a page of the book has a shadow root around it. A notebook's has none
 * in some hosts, and its views are given one: styles of one view are none of another's.
 */
function placeIn(el: HTMLElement, model: Model, signal: AbortSignal): HTMLElement {
  if (model.get('address') !== false) return el;
  const shell = document.createElement('div');
  const place = document.createElement('div');
  shell.attachShadow({ mode: 'open' }).append(place);
  el.append(shell);
  signal.addEventListener('abort', () => {
    shell.remove();
  });
  return place;
}
