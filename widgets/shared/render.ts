import type { Model } from './model';
import { Problem } from './problem';

/** A view as its host has it. */
export interface Shown {
  fail(problem: Problem, retry: () => void): void;
  destroy(): void;
}

/**
 * The `render` of a widget: makes a view, loads into it what the model names, and lets the reader try again where that
 * fails; `words` is the message of a failure of unknown cause.
 */
export function renderOf<View extends Shown>(
  make: (model: Model, el: HTMLElement, signal: AbortSignal) => View,
  load: (view: View, model: Model, signal: AbortSignal) => Promise<void>,
  words: string,
): (host: { model: Model; el: HTMLElement; signal?: AbortSignal }) => () => void {
  return ({ model, el, signal }) => {
    const ended = new AbortController();
    const view = make(model, el, ended.signal);
    const start = () => {
      load(view, model, ended.signal).catch((error: unknown) => {
        if (ended.signal.aborted) return;
        view.fail(error instanceof Problem ? error : new Problem(words), start);
      });
    };
    start();
    const destroy = () => {
      if (ended.signal.aborted) return;
      ended.abort();
      view.destroy();
    };
    signal?.addEventListener('abort', destroy);
    return destroy;
  };
}
