import { settle, stateOf, SHARED, textKind, type Brushed, type Kinds, type Shared, type State } from './address';
import { Choices } from './choices';
import { textElement } from './elements';
import { fetchText } from './files';
import { dataAddress } from './host';
import { isRecord, resolve, textOf } from './json';
import { modelWith, textTrait, type Model } from './model';
import { Problem } from './problem';

/** What a layer may have; each is also the trait that holds the address of it. */
export const DATA = ['index', 'panoramas', 'cells', 'mosaic'] as const;
export type Data = (typeof DATA)[number];

/** One of the sets of data that a book shows in the same views, such as the published and the simulated one. */
export interface Layer {
  name: string;
  /** The layer whose panoramas it is of: mostly itself. */
  of: string;
  /** What readers call it; null where there is nothing to tell it from. */
  label: string | null;
  /** Address of its folder. */
  folder: string;
  has: ReadonlySet<Data>;
  /** Address of a data set on another host that it is streamed from; null where it is in `folder`. */
  stream: string | null;
}

/** What one kind of view needs of layers. */
export interface LayerKind {
  /** What a layer must have for this view to show it, and what that is called. */
  data: Data;
  noun: string;
  /** The name of a view without one, for the address. */
  unnamed: string;
  /** Values of the view's state that are places in the data of one layer: they are dropped when another is shown. */
  places: Kinds<Record<string, unknown>>;
  /** A layer besides those that are listed, which is never the first to be shown. */
  more?: (model: Model) => Layer | null;
}

/** A view as the layers have it. */
export interface Layered {
  /** Puts an element first in the view's bar. */
  lead(element: HTMLElement): void;
  /** Shows that there is nothing to show. */
  none(text: string): void;
  fail(problem: Problem, retry: () => void): void;
}

/** The name of the layer of published data. */
export const PUBLISHED = 'published';

/** Reads the text of a `layers.json`; folders are relative to `address`, its own. */
export function parseLayers(text: string, address: string): Layer[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem('The list of layers is damaged and cannot be read.');
  }
  if (!isRecord(value) || !Array.isArray(value.layers)) throw new Problem('The list of layers is damaged: it names no layers.');
  return value.layers.map((entry: unknown, at): Layer => {
    const of = isRecord(entry) ? entry : {};
    const name = textOf(of.name);
    const folder = typeof of.folder === 'string' ? resolve(of.folder === '' ? '.' : of.folder, address) : null;
    if (name === null || folder === null) throw new Problem(`The list of layers is damaged: entry ${at + 1} has no name or no folder.`);
    const listed: unknown[] = Array.isArray(of.has) ? of.has : [];
    return { name, of: name, label: textOf(of.label), folder, has: new Set(DATA.filter((data) => listed.includes(data))), stream: null };
  });
}

/**
 * The layer to show: the one chosen, if it has what is to be shown, or else the first that is not streamed. A layer on
 * another host is never shown before it was chosen.
 */
export function chooseLayer(layers: Layer[], chosen: string | null): Layer | null {
  return layers.find(({ name }) => name === chosen) ?? layers.find(({ stream }) => stream === null) ?? layers[0] ?? null;
}

/** A model whose addresses are those inside a layer; its trait `layer` names the layer that its panoramas are of, `label` what it is called. */
export function modelOfLayer(model: Model, layer: Layer): Model {
  const data: readonly string[] = DATA;
  const get = (name: string): unknown => {
    if (name === 'layer') return layer.of;
    if (name === 'layerLabel') return layer.label;
    if (name === 'stream') return layer.stream;
    if (!data.includes(name)) return model.get(name);
    const address = textTrait(model, name);
    if (address === null || !layer.has.has(name as Data)) return null;
    return resolve(address, layer.folder);
  };
  return modelWith(model, get);
}

/** Values that are of one layer, each with the one that names it. */
const NAMES_LAYER: Partial<Record<string, keyof Shared | keyof Brushed>> = {
  panorama: 'layer',
  roi: 'layer',
  lasso: 'lassoed',
  gate: 'gated',
  filter: 'filtered',
};

/**
 * The state of a view of a layer: what is chosen or selected in another layer counts as not chosen here, and what is chosen
 * here is written with the layer's name.
 */
export function stateOfLayer<V extends Shared>(state: State<V>, layer: string): State<V> {
  return {
    get: (name) => {
      const value = state.get(name);
      const by = NAMES_LAYER[name];
      if (by === undefined) return value;
      const of: unknown = state.get(by as keyof V & string);
      return of === null || of === layer ? value : (null as typeof value);
    },
    set: (values, change) => {
      const given = values as Record<string, unknown>;
      const named = Object.keys(values).flatMap((name): [string, string | null][] => {
        const by = NAMES_LAYER[name];
        if (by === undefined || name === 'roi') return [];
        if ((given[name] ?? null) !== null) return [[by, layer]];
        return name === 'panorama' ? [] : [[by, null]];
      });
      state.set({ ...values, ...Object.fromEntries(named) }, change);
    },
    onChange: (callback) => {
      state.onChange(callback);
    },
    query: () => state.query(),
  };
}

interface Shows extends Shared {
  /** The layer that this view shows. */
  shows: string | null;
}

/**
 * Shows the layers that a model's `layers.json` lists in one view, one layer at a time: `mount` makes the view of a model
 * and loads it, `waiting` makes one that has nothing to load yet; both are taken away through their signal.
 */
export function renderLayers(
  model: Model,
  el: HTMLElement,
  kind: LayerKind,
  views: {
    mount: (model: Model, signal: AbortSignal) => Layered & { readonly root: HTMLElement };
    waiting: (model: Model, signal: AbortSignal) => Layered & { readonly root: HTMLElement };
  },
  signal: AbortSignal,
): void {
  const own = stateOf(model, { ...SHARED, shows: textKind() } satisfies Kinds<Shows>, signal, kind.unnamed);
  const places = stateOf(model, { ...SHARED, ...kind.places }, signal);
  let layers: Layer[] = [];
  let shown: Layer | null = null;
  let showing = new AbortController();
  signal.addEventListener('abort', () => {
    showing.abort();
  });

  const bar = document.createElement('div');
  bar.className = 'nn-layers';

  /** Takes away what is shown; the page keeps the height until there is something else to show. */
  const next = (): AbortSignal => {
    el.style.minHeight = `${el.offsetHeight}px`;
    // The bar, which may have the focus, moves into the toolbar: the page does not scroll to keep it where it is for a moment.
    el.style.overflowAnchor = 'none';
    bar.remove();
    showing.abort();
    showing = new AbortController();
    return showing.signal;
  };

  let choices: Choices<string> | null = null;
  const show = () => {
    const layer = chooseLayer(layers, own.get('shows'));
    choices?.show(layer?.name ?? '');
    if (!layer || layer === shown) return;
    shown = layer;
    const focused = bar.contains((bar.getRootNode() as ShadowRoot | Document).activeElement);
    const view = views.mount(modelOfLayer(model, layer), next());
    const { signal: showingIt } = showing;
    whenReady(view.root, showingIt, () => {
      el.style.removeProperty('min-height');
      afterLayout(() => {
        if (!showingIt.aborted) el.style.removeProperty('overflow-anchor');
      });
    });
    if (layer.label !== null) view.lead(bar);
    if (focused) bar.querySelector<HTMLElement>('input:checked')?.focus({ preventScroll: true });
  };

  /** A nucleus chosen in another view may be of a layer that this one does not show now. */
  const follow = () => {
    const of = own.get('layer');
    const wanted = layers.find(({ name, stream }) => name === of && stream === null);
    const seen = shown ?? chooseLayer(layers, own.get('shows'));
    if (kind.data === 'index' && wanted && wanted !== seen && own.get('panorama') !== null) own.set({ shows: wanted.name }, 'settle');
    show();
  };

  const build = () => {
    if (layers.length < 2) {
      bar.append(textElement('p', layers[0]?.label ?? '', 'nn-layer'));
      return;
    }
    choices = new Choices(
      layers.map(({ name, label }) => ({ value: name, text: label ?? name })),
      (name) => {
        own.set({ shows: name }, 'push');
        const nowhere = Object.entries(kind.places).map(([place, { absent }]) => [place, absent]);
        places.set(Object.fromEntries(nowhere) as Partial<Shared>, 'settle');
        settle();
        show();
      },
    );
    choices.element.setAttribute('role', 'radiogroup');
    choices.element.setAttribute('aria-label', 'Data');
    bar.append(choices.element);
  };

  const start = () => {
    const view = views.waiting(model, next());
    const { signal: waiting } = showing;
    const load = () => {
      open(waiting).catch((error: unknown) => {
        if (waiting.aborted) return;
        el.style.removeProperty('min-height');
        el.style.removeProperty('overflow-anchor');
        view.fail(error instanceof Problem ? error : new Problem('The layers of this view could not be shown.'), load);
      });
    };
    const open = async (until: AbortSignal) => {
      const address = dataAddress(model, 'layers', until);
      const all = parseLayers(await fetchText(address, 'The list of layers', until), address);
      until.throwIfAborted();
      layers = all.filter(({ has }) => has.has(kind.data));
      // Data of one's own is not to be told from any other.
      const more = all.some(({ label }) => label === null) ? null : (kind.more?.(model) ?? null);
      if (more) layers.push(more);
      if (layers.length === 0) {
        el.style.removeProperty('min-height');
        view.none(`There are no ${kind.noun} in this build of the book.`);
        return;
      }
      build();
      follow();
      own.onChange(follow);
    };
    load();
  };
  start();
}

/** Calls back once a view shows what it is for, or why it cannot. */
function whenReady(root: HTMLElement, signal: AbortSignal, ready: () => void): void {
  const observer = new MutationObserver(() => {
    if (root.dataset.state === 'loading') return;
    observer.disconnect();
    ready();
  });
  observer.observe(root, { attributes: true, attributeFilter: ['data-state'] });
  signal.addEventListener('abort', () => {
    observer.disconnect();
  });
}

/** Calls back once the page has been laid out as it is now. */
function afterLayout(callback: () => void): void {
  requestAnimationFrame(() => {
    requestAnimationFrame(callback);
  });
}
