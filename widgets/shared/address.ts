import { parseFilter } from './filter';
import { onTrait, textTrait, type Model } from './model';

/**
 * One value of a view's state: how it is written in the page's address, and what is accepted from outside.
 *
 * Whatever comes from an address or a host is untrusted: what isn't of this kind counts as not there.
 */
export interface Kind<T> {
  /** What it is called in an address, where another view has a value of the same name. */
  readonly parameter?: string;
  /** The value while none is set. */
  absent: T;
  /** The value of a text, which is never empty; undefined where it is none of this kind. */
  parse(text: string): T | undefined;
  /** The text of a value; empty for `absent` if that is null. */
  format(value: T): string;
  /** The value that a host's trait holds; undefined where that is none of this kind. */
  accept(value: unknown): T | undefined;
}

export type Kinds<V> = { readonly [K in keyof V]: Kind<V[K]> };

/** `push` makes a step that Back undoes; `settle` corrects the present one, once the value has come to rest. */
export type Change = 'push' | 'settle';

/** The state of one view, wherever it is kept. */
export interface State<V> {
  get<K extends keyof V & string>(name: K): V[K];
  set(values: Partial<V>, change: Change): void;
  /** Calls back when values may have been changed by someone else: another view, Back, or the host. */
  onChange(callback: () => void): void;
  /** The query of an address that shows this view as it is, and says nothing of other views. */
  query(): string;
}

/** What all linked views of a page share, and each of them includes in its kinds. */
export interface Shared {
  panorama: string | null;
  /** Number of the nucleus in the mask of `panorama`: whoever sets another panorama sets this too. */
  roi: number | null;
  /** The layer that has `panorama`, since layers have panoramas of the same name; null where layers are not named. */
  layer: string | null;
}

export const SHARED: Kinds<Shared> = { panorama: textKind(), roi: countKind(), layer: textKind() };

/** What is selected on a page, by views in which readers draw round points; views that show what is selected share it too. */
export interface Brushed {
  /** A lasso round panoramas, in nuclei and grey levels. */
  lasso: [number, number][] | null;
  /** The layer whose panoramas are selected; null where layers are not named. So it is with the two below. */
  lassoed: string | null;
  /** A lasso round nuclei: `parseGate` reads it. */
  gate: string | null;
  gated: string | null;
  /** Ranges of measurements, and a class: `parseFilter` reads it. */
  filter: string | null;
  filtered: string | null;
}

export const BRUSHED: Kinds<Brushed> = {
  lasso: pointsKind(200),
  lassoed: textKind(),
  gate: gateKind(),
  gated: textKind(),
  filter: readableKind(parseFilter),
  filtered: textKind(),
};

const CHANGED = 'nnbook:address';
const SETTLE = 'nnbook:settle';
const REST_MS = 250;
const NAME = /^[A-Za-z][\w-]*$/;

/**
 * The state of a view: in the page's address, or in the model's traits where the host sets `address: false`.
 *
 * In an address, `SHARED` and `BRUSHED` values go by their own name and the others by `NAME.view` where the model has a `name`, or else
 * under the name `unnamed`. What the model holds at the start is the default there, and isn't written: its traits, and
 * what its trait `view` says where that is a text, in the form of an address (`panorama=NAME&roi=12&view=X,Y,WIDTH`).
 */
export function stateOf<V extends Shared>(model: Model, kinds: Kinds<V>, signal: AbortSignal, unnamed = ''): State<V> {
  const traits = new TraitState(model, kinds, signal);
  if (model.get('address') === false) return traits;
  const name = textTrait(model, 'name');
  const prefix = name !== null && NAME.test(name) ? name : unnamed;
  return new AddressState(traits, kinds, prefix === '' ? '' : `${prefix}.`, textTrait(model, 'view') ?? '', signal);
}

/** Whether the page's address says what a view of a model is to show, and not the model alone. */
export function isAddressed(model: Model): boolean {
  const name = textTrait(model, 'name');
  return ['panorama', 'roi', name === null ? 'view' : `${name}.view`].some((one) => readParameter(location.search, one) !== null);
}

/** Writes now what all views of the page wait to write, so that the page's address is up to date. */
export function settle(): void {
  dispatchEvent(new CustomEvent(SETTLE));
}

/** Has all views of the page show what its address says, after it was changed by none of them. */
export function announceChange(): void {
  dispatchEvent(new CustomEvent(CHANGED, { detail: null }));
}

/** State in an anywidget model's traits. */
class TraitState<V> implements State<V> {
  constructor(
    private readonly model: Model,
    private readonly kinds: Kinds<V>,
    private readonly signal: AbortSignal,
  ) {}

  get<K extends keyof V & string>(name: K): V[K] {
    const value = this.model.get(name);
    const accepted = value === undefined || value === null ? undefined : this.kinds[name].accept(value);
    return accepted === undefined ? this.kinds[name].absent : accepted;
  }

  set(values: Partial<V>): void {
    try {
      for (const name of namesOf(values)) this.model.set(name, values[name]);
      this.model.save_changes?.();
    } catch {
      // A host without a kernel cannot save it; the view stays as the reader set it.
    }
  }

  onChange(callback: () => void): void {
    for (const name of namesOf(this.kinds)) onTrait(this.model, name, callback, this.signal);
  }

  query(): string {
    return '';
  }
}

/**
 * State in the query string of the page's address.
 *
 * Each bundle has a copy of this module, so views on one page talk only through the window: its address, its history,
 * and an event after each write, since `pushState` fires none.
 */
class AddressState<V> implements State<V> {
  /** What is set already, but not yet written. */
  private pending: Partial<V> = {};
  /** The query string that `pending` is to change. */
  private base = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly defaults: V;
  /** Names of values whose default is of the panorama that is the default, and of no other. */
  private readonly ofPanorama = new Set<string>();

  constructor(
    initial: State<V>,
    private readonly kinds: Kinds<V>,
    private readonly prefix: string,
    first: string,
    private readonly signal: AbortSignal,
  ) {
    this.defaults = Object.fromEntries(namesOf(kinds).map((name) => [name, initial.get(name)])) as V;
    for (const name of namesOf(kinds)) {
      const text = readParameter(first, this.parameter(name)) ?? readParameter(first, name);
      const value = text === null || text === '' ? undefined : kinds[name].parse(text);
      if (value === undefined) continue;
      this.defaults[name] = value;
      if (name === 'roi' || name === 'view') this.ofPanorama.add(name);
    }
    const settle = ({ detail }: CustomEvent<unknown>) => {
      if (detail !== this) this.write();
    };
    const step = () => {
      // A step to another state drops what was meant for the one before; a jump within the page is none.
      if (location.search === this.base) return;
      clearTimeout(this.timer);
      this.pending = {};
    };
    addEventListener(SETTLE, settle as EventListener, { signal });
    addEventListener('popstate', step, { signal });
    signal.addEventListener('abort', () => {
      clearTimeout(this.timer);
    });
  }

  get<K extends keyof V & string>(name: K): V[K] {
    if (name in this.pending) return this.pending[name] as V[K];
    const text = readParameter(location.search, this.parameter(name));
    if (text === null) return this.defaultOf(name);
    const parsed = text === '' ? this.kinds[name].absent : this.kinds[name].parse(text);
    return parsed === undefined ? this.defaultOf(name) : parsed;
  }

  set(values: Partial<V>, change: Change): void {
    clearTimeout(this.timer);
    if (change === 'settle') {
      if (namesOf(this.pending).length === 0) this.base = location.search;
      Object.assign(this.pending, values);
      this.timer = setTimeout(() => {
        this.write();
      }, REST_MS);
      return;
    }
    // The step that is left behind keeps what this view and the others had not written yet.
    this.write();
    dispatchEvent(new CustomEvent(SETTLE, { detail: this }));
    this.pending = { ...values };
    this.write('push');
  }

  onChange(callback: () => void): void {
    const { signal } = this;
    const changed = ({ detail }: CustomEvent<unknown>) => {
      if (detail !== this) callback();
    };
    addEventListener('popstate', callback, { signal });
    addEventListener(CHANGED, changed as EventListener, { signal });
  }

  query(): string {
    const names = namesOf(this.kinds).map((name) => this.parameter(name));
    return withParameters('', names.map((name) => [name, readParameter(location.search, name)]));
  }

  private write(change: Change = 'settle'): void {
    clearTimeout(this.timer);
    const { panorama } = this.pending as Partial<Shared>;
    // What is written is read with the panorama beside it, whose defaults may be others.
    const named = panorama === undefined ? location.search : withParameters('', [['panorama', panorama]]);
    const texts = namesOf(this.pending).map((name): [string, string | null] => [
      this.parameter(name),
      this.text(name, this.pending[name] as V[typeof name], named),
    ]);
    const search = withParameters(location.search, texts);
    if (search !== location.search) {
      const address = `${location.pathname}${search}${location.hash}`;
      try {
        // The entry's own data belongs to the page, whose router may need it.
        if (change === 'push') history.pushState(history.state, '', address);
        else history.replaceState(history.state, '', address);
      } catch {
        return; // A frame without an address of its own: the values stay here, in `pending`.
      }
    }
    this.pending = {};
    if (texts.length > 0) dispatchEvent(new CustomEvent(CHANGED, { detail: this }));
  }

  private defaultOf<K extends keyof V & string>(name: K, search = location.search): V[K] {
    const { defaults, kinds } = this;
    if (!this.ofPanorama.has(name)) return defaults[name];
    const panorama = readParameter(search, 'panorama');
    const another = panorama !== null && panorama !== (defaults as unknown as Shared).panorama;
    // A choice in the address, if only of another nucleus, replaces all of the first look's choice.
    const chosen = name === 'roi' && panorama !== null;
    return another || chosen ? kinds[name].absent : defaults[name];
  }

  private parameter(name: keyof V & string): string {
    return isShared(name) ? name : this.prefix + (this.kinds[name].parameter ?? name);
  }

  /**
   * The text to be written, which is read with the panorama of `search`: null for a default. Shared values have a default
   * for each view, so they are always written; that there is none is written where this view's default is some.
   */
  private text<K extends keyof V & string>(name: K, value: V[K], search: string): string | null {
    const kind = this.kinds[name];
    const text = kind.format(value);
    const unsaid = [location.search, search].map((one) => kind.format(this.defaultOf(name, one)));
    if (isShared(name)) return text === '' && unsaid.every((one) => one === '') ? null : text;
    return unsaid.every((one) => one === text) ? null : text;
  }
}

function isShared(name: string): boolean {
  return name in SHARED || name in BRUSHED;
}

/** The text of a parameter in a query string, or null. */
export function readParameter(search: string, name: string): string | null {
  return new URLSearchParams(search).get(name);
}

/** A query string with parameters set, or taken out where their text is null; all others stay letter by letter. */
export function withParameters(search: string, texts: Iterable<readonly [string, string | null]>): string {
  const wanted = new Map(texts);
  const parts = search.replace(/^\?/, '').split('&');
  const kept = parts.filter((part) => {
    const [name] = new URLSearchParams(part).keys();
    return part !== '' && !(name !== undefined && wanted.has(name));
  });
  for (const [name, text] of wanted) if (text !== null) kept.push(`${encoded(name)}=${encoded(text)}`);
  return kept.length > 0 ? `?${kept.join('&')}` : '';
}

/** Commas, semicolons and colons are allowed in a query string, and legible. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/%2C/g, ',').replace(/%3B/g, ';').replace(/%3A/g, ':');
}

/** A name or another text of at most 200 characters. */
export function textKind(): Kind<string | null> {
  const accept = (value: unknown) =>
    typeof value === 'string' && value !== '' && value.length <= 200 ? value : undefined;
  return { absent: null, parse: accept, format: (value) => value ?? '', accept };
}

/** A whole number from 1. */
export function countKind(): Kind<number | null> {
  const accept = (value: unknown) => (Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined);
  return {
    absent: null,
    parse: (text) => (/^\d{1,15}$/.test(text) ? accept(Number(text)) : undefined),
    format: (value) => (value === null ? '' : String(value)),
    accept,
  };
}

/** A number from `least` to `most`; what is outside is brought to the nearer end. */
export function numberKind(least: number, most: number, absent: number): Kind<number> {
  const accept = (value: unknown) =>
    typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : undefined;
  return { absent, parse: (text) => accept(parseNumber(text)), format: formatNumber, accept };
}

/** A kind of value that may also be nothing. */
export function optionalKind<T>(kind: Kind<T>): Kind<T | null> {
  return {
    absent: null,
    parse: (text) => kind.parse(text),
    format: (value) => (value === null ? '' : kind.format(value)),
    accept: (value) => kind.accept(value),
  };
}

/** One of several words. */
export function choiceKind<T extends string>(choices: readonly T[], absent: T): Kind<T> {
  const accept = (value: unknown) => choices.find((choice) => choice === value);
  return { absent, parse: accept, format: (value) => value, accept };
}

/** Yes or no, written as 1 or 0. */
export function flagKind(): Kind<boolean> {
  const accept = (value: unknown) => (typeof value === 'boolean' ? value : undefined);
  return {
    absent: false,
    parse: (text) => ({ '1': true, '0': false })[text],
    format: (value) => (value ? '1' : '0'),
    accept,
  };
}

/** Several numbers that pass a check together. */
export function numbersKind(count: number, check: (values: number[]) => boolean = () => true): Kind<number[] | null> {
  const accept = (value: unknown) =>
    Array.isArray(value) && value.length === count && value.every(isNumber) && check(value) ? value : undefined;
  return {
    absent: null,
    parse: (text) => accept(text.split(',', count + 1).map(parseNumber)),
    format: (values) => values?.map(formatNumber).join(',') ?? '',
    accept,
  };
}

/** Points of a polygon, 3 to `most`. In a trait they are pairs of numbers. */
export function pointsKind(most: number): Kind<[number, number][] | null> {
  const accept = (value: unknown) =>
    Array.isArray(value) &&
    value.length >= 3 &&
    value.length <= most &&
    value.every((pair): pair is [number, number] => Array.isArray(pair) && pair.length === 2 && pair.every(isNumber))
      ? value
      : undefined;
  return {
    absent: null,
    parse: (text) => accept(text.split(';', most + 1).map((pair) => pair.split(',', 3).map(parseNumber))),
    format: (points) => points?.map((pair) => pair.map(formatNumber).join(',')).join(';') ?? '',
    accept,
  };
}

/** A lasso in the plane of two measurements of nuclei. */
export interface Gate {
  x: string;
  y: string;
  corners: [number, number][];
}

const GATE_CORNERS = pointsKind(200);

/** Reads a gate, such as `area_um2,mean_intensity;120,40;160,40;140,90`; null where that is none. */
export function parseGate(text: string): Gate | null {
  const [, x = '', y = '', rest = ''] = /^([a-z]\w{0,40}),([a-z]\w{0,40});(.+)$/.exec(text) ?? [];
  const corners = rest === '' ? null : GATE_CORNERS.parse(rest);
  return corners ? { x, y, corners } : null;
}

export function gateText({ x, y, corners }: Gate): string {
  return `${x},${y};${GATE_CORNERS.format(corners)}`;
}

/** A text that can be read, in an address as in a trait. */
export function readableKind(read: (text: string) => unknown): Kind<string | null> {
  const accept = (value: unknown) => (typeof value === 'string' && value.length <= 1000 && read(value) !== null ? value : undefined);
  return { absent: null, parse: accept, format: (value) => value ?? '', accept };
}

function gateKind(): Kind<string | null> {
  const accept = (value: unknown) => (typeof value === 'string' && parseGate(value) ? value : undefined);
  return { absent: null, parse: accept, format: (value) => value ?? '', accept };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** A plain decimal number: no blanks, no hexadecimal, nothing that `Number` would be lenient about. */
function parseNumber(text: string): number {
  return /^-?\d{1,15}(\.\d{1,15})?(e-?\d{1,2})?$/.test(text) ? Number(text) : Number.NaN;
}

/** Six digits give a place to a fraction of a pixel. */
function formatNumber(value: number): string {
  return String(Number(value.toPrecision(7)));
}

function namesOf<V extends object>(values: V): (keyof V & string)[] {
  return Object.keys(values) as (keyof V & string)[];
}
