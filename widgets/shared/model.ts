/** The part of an anywidget model that every host has; the rest may throw or be missing. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  on(event: string, callback: () => void): void;
  off?(event: string, callback: () => void): void;
  save_changes?(): void;
}

/** A model whose traits are read in another way; all else is the model's own. */
export function modelWith(model: Model, get: Model['get']): Model {
  return {
    get,
    set: (name, value) => {
      model.set(name, value);
    },
    on: (event, callback) => {
      model.on(event, callback);
    },
    off: (event, callback) => {
      model.off?.(event, callback);
    },
    save_changes: () => {
      model.save_changes?.();
    },
  };
}

export function textTrait(model: Model, name: string): string | null {
  const value = model.get(name);
  return typeof value === 'string' && value !== '' ? value : null;
}

export function numberTrait(model: Model, name: string): number | null {
  const value = model.get(name);
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/** Shares a choice made in the view with the host; a page without a kernel ignores it. */
export function shareTrait(model: Model, name: string, value: unknown): void {
  try {
    model.set(name, value);
    model.save_changes?.();
  } catch {
    // The view stays as the reader set it.
  }
}

/** Listens to changes of a trait until the signal aborts. */
export function onTrait(model: Model, name: string, callback: () => void, signal: AbortSignal): void {
  const event = `change:${name}`;
  const listener = () => {
    if (!signal.aborted) callback();
  };
  model.on(event, listener);
  signal.addEventListener('abort', () => {
    try {
      model.off?.(event, listener);
    } catch {
      // The listener does nothing any more.
    }
  });
}
