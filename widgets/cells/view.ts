import { stateOf, type State } from '../shared/address';
import { followTheme } from '../shared/appearance';
import { contrastTable, isPlain, type Contrast } from '../shared/contrast';
import { ContrastPanel } from '../shared/contrastpanel';
import { contrastOf, contrastState } from '../shared/contraststate';
import { textElement } from '../shared/elements';
import { keepKeys } from '../shared/host';
import baseCss from '../shared/base.css';
import imageCss from '../shared/image.css';
import { numberTrait, onTrait, textTrait, type Model } from '../shared/model';
import type { ListedPanorama } from '../shared/panoramalist';
import { Problem } from '../shared/problem';
import { lengthText } from '../shared/scalebar';
import { grouped, rounded } from '../shared/text';
import { Card } from './card';
import { CELL_STATE, type CellState } from './cellstate';
import { filterText, NO_FILTER, ordered, orderText, parseFilter, parseOrder, passing, type Filter, type Order } from './choice';
import type { Collection } from './collection';
import { drawCells, drawPerRun, freshSeed, type Run } from './draw';
import { Grid } from './grid';
import { CellImages } from './images';
import { MeasurePanel } from './measurepanel';
import type { Shards } from './shards';
import css from './style.css';
import { MEASURES, Table, type Facts, type Kinds } from './table';
import { Toolbar } from './toolbar';

/** Cells of a draw over all runs. */
const DRAWN = 10_000;
/** Images that are kept: 48 MB of thumbnails, which is a whole draw, and 24 MB of full ones. */
const THUMBNAILS = 12_288;
const FULL = 384;
const TELL_MS = 250;

/**
 * A random draw of an edition's cells in a grid.
 *
 * What the reader does changes the state, and what is shown follows the state. The root's `data-state` is `loading`,
 * `ready`, `empty` or `error`.
 */
export class CellView {
  readonly root = document.createElement('div');
  private readonly style = document.createElement('style');
  private readonly message = textElement('div', '', 'nn-message');
  private readonly said = textElement('p', '', 'nn-hidden');
  private readonly state: State<CellState>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: Model,
    host: HTMLElement,
    private readonly signal: AbortSignal,
  ) {
    this.style.textContent = baseCss + imageCss + css;
    this.root.className = 'nn-view nn-cells';
    if (model.get('address') === false) keepKeys(this.root);
    this.message.setAttribute('role', 'status');
    this.said.setAttribute('role', 'status');
    this.state = stateOf(model, CELL_STATE, signal);
    followTheme(this.root, signal);
    this.setHeight();
    onTrait(model, 'height', () => { this.setHeight(); }, signal);
    this.tell('loading', 'Loading the cells …');
    this.root.append(this.message, this.said);
    host.append(this.style, this.root);
  }

  /** Says that the edition has no cells, and where there are some. */
  empty(note: string): void {
    this.tell('empty', note || 'There are no cells in this edition of the book.');
    const dataset = textTrait(this.model, 'dataset');
    if (dataset === null || !/^https?:/.test(dataset)) return;
    const link = document.createElement('a');
    link.href = dataset;
    link.textContent = dataset.replace(/^https?:\/\//, '');
    const where = textElement('p', 'The single-cell images of NucleusNet are at ');
    where.append(link, '.');
    this.message.append(where);
  }

  fail(problem: Problem, retry: () => void): void {
    this.tell('error', problem.message);
    this.message.append(
      againButton(() => {
        this.tell('loading', 'Loading the cells …');
        retry();
      }),
    );
  }

  destroy(): void {
    clearTimeout(this.timer);
    this.root.remove();
    this.style.remove();
  }

  /** Shows the cells of an edition. */
  open(collection: Collection, shards: { thumbnails: Shards; images: Shards }, panoramas: () => Promise<Map<string, ListedPanorama>>): void {
    const { model, signal, state, root } = this;
    const { cells, cellPx, pxPerUm, runs } = collection;
    const perRun = numberTrait(model, 'per_run');
    const table = new Table(collection, signal);
    const columns = new Map<string, Float32Array>();
    let kinds: Kinds | null = null;
    /** Columns on their way, or not to be had. */
    const asked = new Set<string>();
    let problem = '';
    let seed = 0;
    let drawn: number[] = [];
    let inDraw = new Set<number>();
    let shown: number[] = [];
    let showing = '';
    let chosen: { cell: number; facts: Facts | null } | null = null;
    /** What was last heard of the choice, and what is being looked for. */
    let heard = '';
    let looking: string | null = null;
    let outside = '';
    let contrast: Contrast | null = null;

    const thumbnails = new CellImages(shards.thumbnails, THUMBNAILS, (cell) => { grid.arrived(cell); noteGaps(); }, signal);
    const full = new CellImages(shards.images, FULL, (cell) => { grid.arrived(cell); noteGaps(); }, signal);
    const single = new CellImages(shards.images, FULL / 8, (cell) => { showImage(cell); }, signal);

    const toolbar = new Toolbar(runs, {
      newDraw: () => {
        state.set({ draw: freshSeed(), at: null }, 'push');
        apply();
        this.say(`New draw, with seed ${state.get('draw') ?? ''}`);
      },
      run: (run) => { change({ run, at: null }); },
      sort: (order) => { change({ sort: orderText(order), at: null }); },
      size: (size) => {
        state.set({ size }, 'settle');
        grid.setSize(size);
      },
      measures: (open) => {
        measures.element.hidden = !open;
        toolbar.setMeasures(open);
        apply();
      },
      contrast: (open) => {
        panel.element.hidden = !open;
        if (open) panel.count(grid.levels());
      },
    });
    const panel = new ContrastPanel((wanted) => {
      state.set(contrastState(wanted), 'settle');
      showContrast();
    });
    const measures = new MeasurePanel((filter) => { change({ filter: filterText(filter), at: null }); });
    const grid = new Grid(
      { thumbnails, full },
      {
        chosen: (at) => { choose(at, 'push'); },
        escape: () => { letGo(); },
        rested: (first) => {
          state.set({ at: first === 0 ? null : first + 1 }, 'settle');
          if (!panel.element.hidden) panel.count(grid.levels());
        },
        name: (at) => nameOf(at),
      },
      'Cells of the draw',
      signal,
    );
    const card = new Card(
      { pxPerUm, cellPx, viewer: textTrait(model, 'viewer'), linked: model.get('address') !== false },
      {
        step: (step) => { this.step(shown, chosen?.cell ?? -1, step, (at) => { choose(at, 'settle'); }); },
        close: () => {
          letGo();
          grid.focus();
        },
      },
      signal,
    );
    const none = textElement('p', '', 'nn-none');
    const remark = textElement('p', '', 'nn-remark');

    const change = (values: Partial<CellState>) => {
      state.set(values, 'settle');
      apply();
    };
    const orderOf = (): Order | null => parseOrder(state.get('sort') ?? '');
    const filterOf = (): Filter => {
      const text = state.get('filter');
      return (text === null ? null : parseFilter(text)) ?? NO_FILTER;
    };
    const nameOf = (at: number) => {
      const cell = shown[at] ?? 0;
      const run = runOf(runs, cell);
      const order = orderOf();
      const measure = MEASURES.find(({ column }) => column === order?.column);
      const value = measure && columns.get(measure.column)?.[cell];
      const told = value === undefined || Number.isNaN(value) ? '' : `, ${measure?.name ?? ''} ${rounded(value)} ${measure?.unit ?? ''}`.trimEnd();
      return `Cell ${grouped(at + 1)}${run === null ? '' : `, experiment ${run}`}${told}`;
    };
    const showContrast = () => {
      const now = contrastOf({ contrast: state.get('contrast'), invert: state.get('invert'), colour: state.get('colour') });
      if (contrast && JSON.stringify(now) === JSON.stringify(contrast)) return;
      contrast = now;
      const colours = contrastTable(now) as Uint8Array<ArrayBuffer>;
      grid.setColours(colours);
      card.setColours(colours);
      panel.show(now);
      showToolbar();
    };
    const showToolbar = () => {
      const filter = filterOf();
      toolbar.show({
        seed,
        drawn: drawn.length,
        of: cells,
        shown: shown.length,
        run: knownRun(),
        order: orderOf(),
        size: state.get('size'),
        filtered: filter.ranges.size > 0 || filter.kind !== null,
        plain: contrast === null || isPlain(contrast),
      });
    };
    const knownRun = () => {
      const run = state.get('run');
      return runs.some((one) => one.run === run) ? run : null;
    };
    /** Fetches what the state needs of the table; false while it is on its way. */
    const have = (filter: Filter): boolean => {
      const order = orderOf();
      const open = !measures.element.hidden;
      const needed = new Set([...filter.ranges.keys(), ...(order ? [order.column] : []), ...(open ? MEASURES.map(({ column }) => column) : [])]);
      const known = new Set(MEASURES.map(({ column }) => column));
      const fetch = (name: string, load: () => Promise<void>) => {
        if (asked.has(name)) return;
        asked.add(name);
        load().catch((error: unknown) => {
          if (!signal.aborted) problem = error instanceof Problem ? error.message : 'The measurements of the cells could not be shown.';
        }).finally(() => {
          waiting.delete(name);
          if (!signal.aborted) apply();
        });
        waiting.add(name);
      };
      for (const column of needed) {
        if (!known.has(column)) continue;
        fetch(column, async () => {
          if (!(await table.measures()).some((measure) => measure.column === column)) return;
          columns.set(column, await table.column(column));
        });
      }
      if (open || filter.kind !== null) fetch('class', async () => { kinds = await table.classes(); });
      const wanted = [...filter.ranges.keys(), ...(order ? [order.column] : []), ...(filter.kind === null ? [] : ['class'])];
      return !wanted.some((name) => waiting.has(name));
    };
    const waiting = new Set<string>();

    const apply = () => {
      const told = state.get('draw');
      const wanted = told ?? (seed === 0 ? freshSeed() : seed);
      if (wanted !== seed) {
        seed = wanted;
        drawn = perRun === null ? drawCells(cells, DRAWN, seed) : drawPerRun(runs, Math.ceil(perRun), seed);
        inDraw = new Set(drawn);
        showing = '';
      }
      // A reader who brings no draw is given one, which the address then tells.
      if (told === null) state.set({ draw: seed }, 'settle');
      showContrast();
      const filter = filterOf();
      if (filter.ranges.size > 0 || filter.kind !== null) {
        measures.element.hidden = false;
        toolbar.setMeasures(true);
      }
      grid.setSize(state.get('size'));
      if (have(filter)) showCells(filter);
      showToolbar();
      followChoice();
      showRemark();
    };
    const showCells = (filter: Filter) => {
      const run = runs.find((one) => one.run === knownRun());
      const ofRun = run ? drawn.filter((cell) => cell >= run.first && cell < run.first + run.cells) : drawn;
      const order = orderOf();
      // What decides on the cells: the same again need not be shown anew.
      const wish = [seed, run?.run, state.get('filter'), state.get('sort')].join('|');
      if (wish !== showing) {
        const before = showing;
        showing = wish;
        shown = ordered(passing(ofRun, filter, columns, kinds), order, columns);
        grid.show(shown, Math.min(shown.length, state.get('at') ?? 1) - 1);
        grid.setChosen(chosen ? shown.indexOf(chosen.cell) : -1);
        none.hidden = shown.length > 0;
        if (before !== '') this.say(`${grouped(shown.length)} cells shown`);
      }
      if (!measures.element.hidden) measures.show(drawn, ofRun, filter, columns, kinds, [...waiting].length > 0);
    };

    const choose = (at: number, step: 'push' | 'settle') => {
      const cell = shown[at];
      if (cell === undefined) return;
      show(cell);
      if (card.isOver) card.focus();
      void learn(cell, step);
    };
    /** Shows a cell large, wherever the choice comes from. */
    const show = (cell: number) => {
      chosen = { cell, facts: null };
      outside = '';
      const at = shown.indexOf(cell);
      grid.setChosen(at);
      card.show(at < 0 ? 'Cell' : nameOf(at));
      root.toggleAttribute('data-chosen', true);
      single.want([cell]);
      showImage(cell);
    };
    const showImage = (cell: number) => {
      if (chosen?.cell !== cell) return;
      const pixels = single.get(cell);
      if (pixels === 'failed') card.showImage(null);
      else if (pixels) card.showImage(pixels);
      else {
        const small = thumbnails.get(cell);
        if (small instanceof Uint8Array) card.showImage(small);
      }
    };
    /** Fetches what is known of the chosen cell, and tells the other views of the page. */
    const learn = async (cell: number, step: 'push' | 'settle' | null) => {
      try {
        const [facts, known] = await Promise.all([table.facts(cell), panoramas()]);
        if (chosen?.cell !== cell || signal.aborted) return;
        chosen.facts = facts;
        const { panorama, roi } = facts;
        if (step !== null && panorama !== null && roi !== null) state.set({ panorama, roi }, step);
        card.showFacts(facts, known.size === 0 ? undefined : (known.get(panorama ?? '') ?? null));
        measures.mark(facts.measures);
        this.say(`${facts.cell ?? 'Cell'} chosen. ${card.told}`);
      } catch (error) {
        if (signal.aborted || chosen?.cell !== cell) return;
        card.showProblem(error instanceof Problem ? error.message : 'The measurements of this cell could not be shown.');
      }
    };
    const letGo = () => {
      if (!chosen) return;
      close();
      state.set({ roi: null }, 'settle');
    };
    const close = () => {
      chosen = null;
      single.want([]);
      card.hide();
      measures.mark(null);
      grid.setChosen(-1);
      root.toggleAttribute('data-chosen', false);
    };
    /** Another view of the page, Back or the host may have chosen another nucleus. */
    const followChoice = () => {
      const [panorama, roi] = [state.get('panorama'), state.get('roi')];
      const wish = panorama === null || roi === null ? '' : `${roi} ${panorama}`;
      const facts = chosen?.facts;
      const here = facts ? `${facts.roi ?? ''} ${facts.panorama ?? ''}` : '';
      // Of a cell that was chosen here, the others hear once its name is known.
      if (wish === here || wish === looking || (wish === heard && !facts)) return;
      heard = wish;
      outside = '';
      if (panorama === null || roi === null) {
        if (chosen) close();
        return;
      }
      looking = wish;
      void find(panorama, roi).finally(() => { looking = null; });
    };
    const find = async (panorama: string, roi: number) => {
      const cell = await table.find(panorama, roi).catch(() => null);
      if (signal.aborted || state.get('panorama') !== panorama || state.get('roi') !== roi) return;
      if (cell === null || !inDraw.has(cell)) {
        if (chosen) close();
        outside = cell === null ? `ROI ${roi} of ${panorama} has no cell image.` : `The nucleus chosen, ROI ${roi} of ${panorama}, is not in this draw.`;
        showRemark();
        return;
      }
      if (chosen?.cell === cell) return;
      show(cell);
      showRemark();
      await learn(cell, null);
    };
    const noteGaps = () => {
      clearTimeout(noting);
      noting = setTimeout(showRemark, TELL_MS);
    };
    let noting: ReturnType<typeof setTimeout> | undefined;
    signal.addEventListener('abort', () => { clearTimeout(noting); });
    const showRemark = () => {
      const gaps = grid.missing > 0 ? 'Some images could not be loaded.' : '';
      const words = [gaps, problem, outside, waiting.size > 0 ? 'Loading measurements …' : ''].filter(Boolean).join(' ');
      if (remark.textContent !== words) remark.textContent = words;
      if (gaps === '' && problem === '') return;
      remark.append(' ', againButton(() => {
        asked.clear();
        problem = '';
        showing = '';
        grid.retry();
        single.retry();
        apply();
      }));
    };

    none.textContent = 'No cell of this draw is like that. Widen a range, or make a new draw.';
    remark.setAttribute('role', 'status');
    measures.element.hidden = true;
    const stage = textElement('div', '', 'nn-stage');
    stage.append(grid.element, none);
    const body = textElement('div', '', 'nn-body');
    body.append(stage, card.element);
    const caption = textElement('div', '', 'nn-caption');
    const wide = pxPerUm === null ? '' : `, ${lengthText(cellPx / pxPerUm)}`;
    caption.append(textElement('p', `Each square is ${cellPx} px${wide} wide.${collection.note === '' ? '' : ` ${collection.note}`}`));
    root.append(toolbar.element, panel.element, measures.element, body, remark, caption);
    state.onChange(apply);
    this.tell('ready', '');
    apply();
  }

  /** Goes from a cell to the one that comes `step` after it in an order, from the last on to the first. */
  private step(order: number[], cell: number, step: number, choose: (at: number) => void): void {
    if (order.length === 0) return;
    const at = order.indexOf(cell);
    choose(at < 0 ? 0 : (at + step + order.length) % order.length);
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
    this.message.replaceChildren(textElement('p', message));
    this.message.hidden = message === '';
  }
}

/** The run that a cell is of; runs are stretches in ascending order. */
function runOf(runs: Run[], cell: number): number | null {
  let [low, high] = [0, runs.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const run = runs[middle];
    if (!run) return null;
    if (cell < run.first) high = middle - 1;
    else if (cell >= run.first + run.cells) low = middle + 1;
    else return run.run;
  }
  return null;
}

function againButton(again: () => void): HTMLElement {
  const button = textElement('button', 'Try again', 'nn-button nn-again') as HTMLButtonElement;
  button.type = 'button';
  button.addEventListener('click', again);
  return button;
}
