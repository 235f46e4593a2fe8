import {
  choiceKind,
  flagKind,
  numbersKind,
  pointsKind,
  SHARED,
  stateOf,
  type Kinds,
  type Shared,
  type State,
} from '../shared/address';
import { followTheme } from '../shared/appearance';
import baseCss from '../shared/base.css';
import { textElement } from '../shared/elements';
import { fetchText } from '../shared/files';
import { dataAddress, keepKeys, laidOut } from '../shared/host';
import { numberTrait, onTrait, textTrait, type Model } from '../shared/model';
import { parsePanoramaList } from '../shared/panoramalist';
import { Problem } from '../shared/problem';
import { grouped } from '../shared/text';
import type { Axes } from './axes';
import { averagesOf, counted, pointsOf, type Panorama, type Point } from './collection';
import { BY, colouring, type By } from './colours';
import { Details } from './details';
import type { Look } from './drawing';
import { Card, selectionText, spoken } from './facts';
import { legendElement } from './legend';
import { Listing } from './listing';
import { Plot, type Polygon } from './plot';
import css from './style.css';
import { Toolbar } from './toolbar';

interface Values extends Shared {
  axes: number[] | null;
  by: By;
  lasso: Polygon | null;
  table: boolean;
}

const KINDS: Kinds<Values> = {
  ...SHARED,
  axes: numbersKind(4, ([x0 = 0, x1 = 0, y0 = 0, y1 = 0]) => x0 < x1 && y0 < y1),
  by: choiceKind(BY, 'std'),
  lasso: pointsKind(200),
  table: flagKind(),
};
const TELL_MS = 250;

/**
 * Count against brightness, a point a panorama.
 *
 * The root's `data-state` is `loading`, `ready`, `empty` or `error`.
 */
class ScatterView {
  private readonly root = document.createElement('div');
  private readonly style = document.createElement('style');
  private readonly message = textElement('p', '', 'nn-message');
  private readonly said = textElement('p', '', 'nn-hidden');
  private readonly ended = new AbortController();
  private readonly state: State<Values>;
  private plot: Plot | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: Model,
    host: HTMLElement,
  ) {
    const { signal } = this.ended;
    this.style.textContent = baseCss + css;
    this.root.className = 'nn-view nn-scatter';
    if (model.get('address') === false) keepKeys(this.root);
    this.message.setAttribute('role', 'status');
    this.said.setAttribute('role', 'status');
    this.state = stateOf(model, KINDS, signal);
    followTheme(this.root, signal, () => { this.plot?.refresh(); });
    this.setHeight();
    onTrait(model, 'height', () => { this.setHeight(); }, signal);
    this.tell('loading', 'Loading the panoramas …');
    this.root.append(this.message, this.said);
    host.append(this.style, this.root);
    this.load().catch((error: unknown) => {
      if (signal.aborted) return;
      const words = error instanceof Problem ? error.message : 'The panoramas could not be shown in this browser.';
      this.tell('error', words);
    });
  }

  destroy(): void {
    if (this.ended.signal.aborted) return;
    this.ended.abort();
    clearTimeout(this.timer);
    this.root.remove();
    this.style.remove();
  }

  private async load(): Promise<void> {
    const { signal } = this.ended;
    const address = dataAddress(this.model, 'panoramas', signal);
    const list = parsePanoramaList(await fetchText(address, 'The table of panoramas', signal), address);
    const panoramas = counted(list.panoramas);
    await laidOut(this.root, signal);
    if (signal.aborted) return;
    const points = pointsOf(panoramas);
    if (points.length === 0) {
      this.tell('empty', list.note || 'There are no panoramas in this edition of the book.');
      return;
    }
    this.build(panoramas, points, list.note);
    this.tell('ready', '');
  }

  private build(panoramas: Panorama[], points: Point[], note: string): void {
    const { state, root, ended } = this;
    const { signal } = ended;
    const places = new Map(points.map(({ panorama }, at) => [panorama.name, at]));
    const known = new Map(panoramas.map((panorama) => [panorama.name, panorama]));
    const inPlane = points.map(({ panorama }) => panorama);
    const colours = new Set(BY.filter((by) => by === 'std' || inPlane.some((panorama) => panorama[by] !== null)));
    const representatives = inPlane.flatMap(({ rank }, at) => (rank === null ? [] : [{ at, rank }]));
    representatives.sort((a, b) => a.rank - b.rank);
    let found: number[] = [];
    let shownFound = 0;
    let looked = '';
    let within: number[] | null = null;
    let pointed = -1;
    let groups: number[][] = [];

    const choose = (panorama: Panorama | null) => {
      state.set({ panorama: panorama?.name ?? null, roi: null }, 'push');
      showChosen();
      this.say(panorama ? `${panorama.name} chosen. ${details.told}` : 'Choice cleared');
    };
    const plot = new Plot(points, representatives, averagesOf(points), () => readLook(root), {
      moved: (axes) => {
        state.set({ axes: axes ? listOf(axes) : null }, 'settle');
      },
      choose: (at) => {
        const panorama = inPlane[at];
        if (panorama) choose(panorama);
      },
      select: (lasso) => {
        if (lasso) state.set({ lasso }, 'push');
        toolbar.setLassoing(false);
        plot.setLassoing(false);
        showLasso();
      },
      pointed: (at, place, byKeyboard) => {
        const changed = at !== pointed;
        pointed = at;
        const panorama = inPlane[at] ?? null;
        card.show(panorama, place, { width: plot.element.clientWidth, height: plot.element.clientHeight });
        if (changed) showLifted();
        if (panorama && changed && byKeyboard) this.say(spoken(panorama));
      },
      tell: (text) => {
        this.say(text);
      },
    }, signal);
    this.plot = plot;
    const toolbar = new Toolbar(colours, {
      by: (by) => {
        state.set({ by }, 'settle');
        showColours();
      },
      lassoing: (lassoing) => {
        plot.setLassoing(lassoing);
      },
      zoomIn: () => { plot.zoomIn(); },
      zoomOut: () => { plot.zoomOut(); },
      showAll: () => { plot.showAll(); },
      table: (table) => {
        state.set({ table }, 'settle');
        showTable();
      },
      find: (text) => {
        looked = text;
        found = text === '' ? [] : findAll(inPlane, text);
        shownFound = 0;
        showFound();
        showRows();
      },
      step: (steps) => {
        shownFound = found.length === 0 ? 0 : (shownFound + steps + found.length) % found.length;
        showFound();
      },
      open: () => {
        const panorama = inPlane[found[shownFound] ?? -1];
        if (panorama) choose(panorama);
      },
    });
    const card = new Card(signal);
    const listing = new Listing(panoramas, choose);
    const details = new Details(
      { viewer: textTrait(this.model, 'viewer'), linked: this.model.get('address') !== false },
      () => {
        choose(null);
        focusAgain();
      },
      signal,
    );
    const selection = textElement('div', '', 'nn-selection');
    const selected = textElement('span', '');
    const clear = textElement('button', 'Clear selection') as HTMLButtonElement;
    const legend = textElement('div', '');
    const remark = textElement('p', '', 'nn-remark');
    const unmeasured = panoramas.length - points.length;

    /** After a button that is gone: what it was about gets the focus. */
    const focusAgain = () => {
      if (state.get('table')) listing.focus();
      else plot.focus();
    };
    const showChosen = () => {
      const name = state.get('panorama');
      const panorama = name === null ? null : (known.get(name) ?? null);
      plot.setChosen(panorama ? (places.get(panorama.name) ?? -1) : -1);
      details.show(panorama);
      listing.setChosen(panorama?.name ?? null);
      remark.textContent =
        name !== null && !panorama ? `The address names a panorama that this edition does not have: ${name}.` : '';
    };
    const showLasso = () => {
      const lasso = state.get('lasso');
      const inside = plot.setLasso(lasso);
      const words = lasso ? selectionText(averagesOf(inside.flatMap((at) => points[at] ?? [])), points.length) : '';
      selected.textContent = words;
      selection.classList.toggle('nn-none', lasso === null);
      clear.hidden = lasso === null;
      within = lasso ? inside : null;
      showRows();
    };
    /** Lists those that the lasso and the search leave. */
    const showRows = () => {
      const inLasso = within ? within.flatMap((at) => inPlane[at] ?? []) : panoramas;
      const rows = looked === '' ? inLasso : inLasso.filter(({ name }) => hasText(name, looked));
      const of = [within ? 'in the lasso' : '', looked === '' ? '' : `with “${looked}” in their name`].filter(Boolean);
      listing.show(rows, [`${grouped(rows.length)} panoramas`, ...of].join(' '));
    };
    const showColours = () => {
      const by = colours.has(state.get('by')) ? state.get('by') : 'std';
      const { levels, legend: steps, groups: same } = colouring(inPlane, by);
      groups = same;
      plot.setLevels(levels);
      toolbar.setBy(by);
      legend.replaceChildren(legendElement(steps, by));
      showLifted();
    };
    const showLifted = () => {
      plot.setLifted(found.length > 0 ? found : (groups[pointed] ?? []));
    };
    const showTable = () => {
      const table = state.get('table');
      toolbar.setTable(table);
      plot.element.hidden = table;
      legend.hidden = table;
      listing.element.hidden = !table;
    };
    const showFound = () => {
      const at = found[shownFound];
      const words = looked === '' ? '' : found.length === 0 ? 'none' : `${shownFound + 1} of ${grouped(found.length)}`;
      toolbar.setFound(words);
      showLifted();
      const panorama = at === undefined ? undefined : inPlane[at];
      if (at === undefined || !panorama) {
        plot.hidePointed();
        if (looked !== '') this.say('No panorama of this name');
        return;
      }
      plot.reveal(at);
      this.say(`${words}. ${spoken(panorama)}`);
    };
    const showAll = () => {
      const axes = state.get('axes');
      plot.setAxes(axes ? axesOf(axes) : null);
      showColours();
      showLasso();
      showChosen();
      showTable();
    };

    clear.type = 'button';
    clear.className = 'nn-quiet';
    clear.addEventListener('click', () => {
      state.set({ lasso: null }, 'push');
      showLasso();
      focusAgain();
    });
    selected.setAttribute('role', 'status');
    selection.append(selected, clear);
    remark.setAttribute('role', 'status');
    plot.element.append(card.element);
    const caption = textElement('div', '', 'nn-caption');
    if (unmeasured > 0) {
      const words = unmeasured === 1 ? '1 panorama has' : `${grouped(unmeasured)} panoramas have`;
      caption.append(textElement('p', `${words} no nucleus, and no place in the plane.`));
    }
    if (note) caption.append(textElement('p', note));
    root.append(toolbar.element, plot.element, legend, listing.element, selection, details.element, remark, caption);
    root.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || state.get('lasso') === null) return;
      state.set({ lasso: null }, 'push');
      showLasso();
      this.say('Selection cleared');
    });
    state.onChange(showAll);
    showAll();
  }

  /** Says something to readers who don't see it, once it has stayed for a moment. */
  private say(text: string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.said.textContent = text;
    }, TELL_MS);
  }

  private setHeight(): void {
    const height = numberTrait(this.model, 'height');
    if (height === null) this.root.style.removeProperty('--height');
    else this.root.style.setProperty('--height', `${height}px`);
  }

  private tell(state: 'loading' | 'ready' | 'empty' | 'error', message: string): void {
    this.root.dataset.state = state;
    this.message.textContent = message;
    this.message.hidden = message === '';
  }
}

function listOf({ x0, x1, y0, y1 }: Axes): number[] {
  return [x0, x1, y0, y1];
}

function axesOf([x0 = 0, x1 = 1, y0 = 0, y1 = 1]: number[]): Axes {
  return { x0, x1, y0, y1 };
}

/** Those whose name has the text, those that begin with it first. */
function findAll(panoramas: Panorama[], text: string): number[] {
  const found = panoramas.flatMap(({ name }, at) => (hasText(name, text) ? [at] : []));
  const later = (at: number) => Number(!panoramas[at]?.name.toLowerCase().startsWith(text.toLowerCase()));
  return found.sort((a, b) => later(a) - later(b));
}

function hasText(name: string, text: string): boolean {
  return name.toLowerCase().includes(text.toLowerCase());
}

/** Resolves what the style sheet says by names into colours that a canvas understands. */
function readLook(root: HTMLElement): Look {
  const probe = document.createElement('span');
  root.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const [ground = '', ink = '', quiet = '', rule = '', accent = ''] = ['bg', 'fg', 'muted', 'line', 'accent'].map(colour);
  const family = getComputedStyle(probe).fontFamily;
  probe.remove();
  return { dark: root.dataset.theme === 'dark', ground, ink, quiet, rule, accent, family };
}

function render({ model, el, signal }: { model: Model; el: HTMLElement; signal?: AbortSignal }): () => void {
  const view = new ScatterView(model, el);
  const destroy = () => {
    view.destroy();
  };
  signal?.addEventListener('abort', destroy);
  return destroy;
}

export default { render };
