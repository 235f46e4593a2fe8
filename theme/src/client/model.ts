type Listener = (...values: unknown[]) => void;

/** An anywidget model without a kernel behind it: it keeps values, reports changes, and accepts every call. */
export class Model {
  readonly #values: Record<string, unknown>;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(values: Record<string, unknown>) {
    this.#values = { ...values };
  }

  get(name: string): unknown {
    return this.#values[name];
  }

  set(name: string, value: unknown): void {
    if (Object.is(this.#values[name], value)) return;
    this.#values[name] = value;
    this.#report(`change:${name}`, value);
    this.#report('change');
  }

  on(names: string, listener: Listener): void {
    for (const name of names.split(/\s+/)) {
      const listeners = this.#listeners.get(name) ?? new Set();
      this.#listeners.set(name, listeners.add(listener));
    }
  }

  off(names?: string | null, listener?: Listener | null): void {
    for (const name of names?.split(/\s+/) ?? [...this.#listeners.keys()]) {
      if (listener == null) this.#listeners.delete(name);
      else this.#listeners.get(name)?.delete(listener);
    }
  }

  save_changes(): void {
    // There is no kernel to save to: what was set is all there is.
  }

  send(): void {
    // No one listens at the other end.
  }

  readonly widget_manager = {
    get_model: (): Promise<never> => Promise.reject(new Error('This page has no kernel to ask for other models')),
  };

  #report(event: string, value?: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener({ name: event, source: this }, value);
      } catch (error) {
        console.error(error); // One listener's fault is not the other's.
      }
    }
  }
}
