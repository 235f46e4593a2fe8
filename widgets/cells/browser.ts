import type { State } from '../shared/address';
import type { Announcer } from '../shared/announcer';
import { contrastTable, type Contrast } from '../shared/contrast';
import { ContrastPanel } from '../shared/contrastpanel';
import { contrastOf, contrastState } from '../shared/contraststate';
import { againButton, textElement } from '../shared/elements';
import type { Around } from '../shared/goto';
import { Problem } from '../shared/problem';
import { lengthText } from '../shared/scalebar';
import { grouped, rounded } from '../shared/text';
import { Card } from './card';
import type { CellState } from './cellstate';
import { filterText, NO_FILTER, ordered, orderText, parseFilter, parseOrder, passing, type Filter, type Order } from './choice';
import type { Collection } from './collection';
import { freshSeed, runOf } from './draw';
import { Grid } from './grid';
import { CLASS, Measurements } from './measurements';
import { MeasurePanel } from './measurepanel';
import type { CellSource, Images } from './source';
import { MEASURES, type Facts } from './table';
import { Toolbar } from './toolbar';

/** Images that are kept: 48 MB of thumbnails, which is a whole draw, and 24 MB of full ones. */
const THUMBNAILS = 12_288;
const FULL = 384;
/** Images that fail come in groups: one remark for all of them. */
const REMARK_MS = 250;

/** What the view that a browser is part of gives it. */
export interface BrowserContext {
  root: HTMLElement;
  state: State<CellState>;
  announcer: Announcer;
  around: Around;
  /** What is said of the data below the grid. */
  note: string;
  signal: AbortSignal;
}

/** The cells of an edition: a random draw of them in a grid, what was measured of them, and one of them large. */
export class CellBrowser {
  private readonly state: State<CellState>;
  private readonly collection: Collection;
  private readonly measurements: Measurements;
  private readonly thumbnails: Images;
  /** The image of the chosen cell, apart from those of the grid, which come and go with what is in view. */
  private readonly single: Images;
  private readonly toolbar: Toolbar;
  private readonly contrastPanel: ContrastPanel;
  private readonly measurePanel: MeasurePanel;
  private readonly grid: Grid;
  private readonly card: Card;
  private readonly none = textElement('p', 'No cell of this draw is like that. Widen a range, or make a new draw.', 'nn-none');
  private readonly remark = textElement('p', '', 'nn-remark');
  private seed = 0;
  private drawn: number[] = [];
  private inDraw = new Set<number>();
  /** Cells in the grid, and what decided on them: the same again need not be shown again. */
  private shown: number[] = [];
  private shownFor = '';
  private chosen: { cell: number; facts: Facts | null } | null = null;
  /** The nucleus that the state named last, and the one whose cell is being looked up. */
  private named = '';
  private lookedUp: string | null = null;
  /** Why the nucleus that the state names is not shown. */
  private absence = '';
  private contrast: Contrast | null = null;
  private remarkTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly source: CellSource,
    private readonly context: BrowserContext,
  ) {
    const { collection } = source;
    const { root, state, around, signal } = context;
    this.state = state;
    this.collection = collection;
    this.measurements = new Measurements(
      source.table,
      () => {
        this.apply();
      },
      signal,
    );
    const inGrid = (cell: number) => {
      this.grid.arrived(cell);
      this.showRemarkSoon();
    };
    this.thumbnails = source.images('thumbnails', THUMBNAILS, inGrid);
    const full = source.images('full', FULL, inGrid);
    this.single = source.images('full', FULL / 8, (cell) => {
      this.showImage(cell);
    });
    this.contrastPanel = new ContrastPanel(
      (contrast) => {
        state.set(contrastState(contrast), 'settle');
        this.showContrast();
      },
      () => this.grid.levels(),
    );
    this.toolbar = this.buildToolbar();
    this.measurePanel = new MeasurePanel((filter) => {
      this.change({ filter: filterText(filter), at: null });
    });
    this.grid = this.buildGrid(full);
    this.card = new Card(
      { pxPerUm: collection.pxPerUm, cellPx: collection.cellPx, ...around },
      {
        step: (step) => {
          this.step(step);
        },
        close: () => {
          this.letGo();
          this.grid.focus();
        },
      },
      signal,
    );
    this.remark.setAttribute('role', 'status');
    this.measurePanel.element.hidden = true;
    const stage = textElement('div', '', 'nn-stage');
    stage.append(this.grid.element, this.none);
    const body = textElement('div', '', 'nn-body');
    body.append(stage, this.card.element);
    root.append(
      this.toolbar.element,
      this.contrastPanel.element,
      this.measurePanel.element,
      body,
      this.remark,
      captionOf(collection, context.note),
    );
    signal.addEventListener('abort', () => {
      clearTimeout(this.remarkTimer);
    });
    state.onChange(() => {
      this.apply();
    });
    source.onStatus(() => {
      this.showRemarkSoon();
    });
    this.apply();
  }

  private buildToolbar(): Toolbar {
    const { state } = this;
    return new Toolbar(this.collection.runs, this.source.measured, this.contrastPanel.button, {
      newDraw: () => {
        state.set({ draw: freshSeed(), at: null }, 'push');
        this.apply();
        this.announce(`New draw, with seed ${state.get('draw') ?? ''}`);
      },
      run: (run) => {
        this.change({ run, at: null });
      },
      sort: (order) => {
        this.change({ sort: orderText(order), at: null });
      },
      size: (size) => {
        state.set({ size }, 'settle');
        this.grid.setSize(size);
      },
      measures: (open) => {
        this.openMeasures(open);
        this.apply();
      },
    });
  }

  private buildGrid(full: Images): Grid {
    return new Grid(
      { thumbnails: this.thumbnails, full },
      {
        chosen: (at) => {
          this.choose(at, 'push');
        },
        escape: () => {
          this.letGo();
        },
        rested: (first) => {
          this.state.set({ at: first === 0 ? null : first + 1 }, 'settle');
          this.contrastPanel.count();
        },
        name: (at) => this.nameOf(at),
      },
      'Cells of the draw',
      this.context.signal,
    );
  }

  /** Changes the state as the reader wishes, and shows it. */
  private change(values: Partial<CellState>): void {
    this.state.set(values, 'settle');
    this.apply();
  }

  /** Shows what the state says. */
  private apply(): void {
    const { measurePanel, measurements, state } = this;
    this.draw();
    this.showContrast();
    const filter = this.filter();
    if (filter.ranges.size > 0 || filter.kind !== null) this.openMeasures(true);
    this.grid.setSize(state.get('size'));
    const order = this.order();
    const open = !measurePanel.element.hidden;
    // Those that decide on the cells, and those that an open panel shows besides.
    const deciding = [...filter.ranges.keys(), ...(order ? [order.column] : []), ...(filter.kind === null ? [] : [CLASS])];
    measurements.fetch([...deciding, ...(open ? [...MEASURES.map(({ column }) => column), CLASS] : [])]);
    if (!measurements.awaits(deciding)) this.showCells(filter, order);
    this.showToolbar();
    this.followChoice();
    this.showRemark();
  }

  /** Draws cells by the seed of the state; a reader who brings none is given one, which is then in the address. */
  private draw(): void {
    const { seed, source, state } = this;
    const given = state.get('draw');
    const wanted = given ?? (seed === 0 ? freshSeed() : seed);
    if (wanted !== seed) {
      this.seed = wanted;
      this.drawn = source.draw(wanted);
      this.inDraw = new Set(this.drawn);
      this.shownFor = '';
    }
    if (given === null) state.set({ draw: wanted }, 'settle');
  }

  private order(): Order | null {
    return this.source.measured ? parseOrder(this.state.get('sort') ?? '') : null;
  }

  private filter(): Filter {
    const text = this.state.get('filter');
    return (text === null || !this.source.measured ? null : parseFilter(text)) ?? NO_FILTER;
  }

  private nameOf(at: number): string {
    const cell = this.shown[at] ?? 0;
    const run = runOf(this.collection.runs, cell);
    const order = this.order();
    const measure = MEASURES.find(({ column }) => column === order?.column);
    const value = measure && this.measurements.columns.get(measure.column)?.[cell];
    const measured = value === undefined || Number.isNaN(value) ? '' : `, ${measure?.name ?? ''} ${rounded(value)} ${measure?.unit ?? ''}`.trimEnd();
    return `Cell ${grouped(at + 1)}${run === null ? '' : `, experiment ${run}`}${measured}`;
  }

  private showContrast(): void {
    const { state } = this;
    const contrast = contrastOf({ contrast: state.get('contrast'), invert: state.get('invert'), colour: state.get('colour') });
    if (this.contrast && JSON.stringify(contrast) === JSON.stringify(this.contrast)) return;
    this.contrast = contrast;
    const colours = contrastTable(contrast) as Uint8Array<ArrayBuffer>;
    this.grid.setColours(colours);
    this.card.setColours(colours);
    this.contrastPanel.show(contrast);
  }

  private showToolbar(): void {
    const { collection, drawn, seed, shown, state } = this;
    const filter = this.filter();
    this.toolbar.show({
      seed,
      drawn: drawn.length,
      of: collection.cells,
      shown: shown.length,
      run: this.run()?.run ?? null,
      order: this.order(),
      size: state.get('size'),
      filtered: filter.ranges.size > 0 || filter.kind !== null,
    });
  }

  /** The run whose cells alone are shown, where the state names one that there is. */
  private run() {
    const run = this.state.get('run');
    return this.collection.runs.find((one) => one.run === run);
  }

  private openMeasures(open: boolean): void {
    this.measurePanel.element.hidden = !open;
    this.toolbar.setMeasures(open);
  }

  private showCells(filter: Filter, order: Order | null): void {
    const { chosen, drawn, grid, measurePanel, measurements, seed, state } = this;
    const { columns, kinds } = measurements;
    const run = this.run();
    const ofRun = run ? drawn.filter((cell) => cell >= run.first && cell < run.first + run.cells) : drawn;
    const shownFor = [seed, run?.run, state.get('filter'), state.get('sort')].join('|');
    if (shownFor !== this.shownFor) {
      const again = this.shownFor !== '';
      this.shownFor = shownFor;
      const shown = ordered(passing(ofRun, filter, columns, kinds), order, columns);
      this.shown = shown;
      grid.show(shown, Math.min(shown.length, state.get('at') ?? 1) - 1);
      grid.setChosen(chosen ? shown.indexOf(chosen.cell) : -1);
      this.none.hidden = shown.length > 0;
      if (again) this.announce(`${grouped(shown.length)} cells shown`);
    }
    if (!measurePanel.element.hidden) measurePanel.show(drawn, ofRun, filter, columns, kinds, measurements.awaits());
  }

  private choose(at: number, step: 'push' | 'settle'): void {
    const cell = this.shown[at];
    if (cell === undefined) return;
    this.showChosen(cell);
    if (this.card.isOver) this.card.focus();
    void this.loadFacts(cell, step);
  }

  /** Goes from the chosen cell to the next or the previous one, from the last on to the first. */
  private step(step: 1 | -1): void {
    const { shown } = this;
    if (shown.length === 0) return;
    const at = shown.indexOf(this.chosen?.cell ?? -1);
    this.choose(at < 0 ? 0 : (at + step + shown.length) % shown.length, 'settle');
  }

  /** Shows a cell large, wherever the choice comes from. */
  private showChosen(cell: number): void {
    this.chosen = { cell, facts: null };
    this.absence = '';
    const at = this.shown.indexOf(cell);
    this.grid.setChosen(at);
    this.card.show(at < 0 ? 'Cell' : this.nameOf(at));
    this.context.root.toggleAttribute('data-chosen', true);
    this.single.want([cell]);
    this.showImage(cell);
  }

  private showImage(cell: number): void {
    if (this.chosen?.cell !== cell) return;
    const pixels = this.single.get(cell);
    if (pixels === 'failed') this.card.showImage(null);
    else if (pixels) this.card.showImage(pixels);
    else {
      const small = this.thumbnails.get(cell);
      if (small instanceof Uint8Array) this.card.showImage(small);
    }
  }

  /** Loads what is known of the chosen cell; with a `step`, the state then names its nucleus. */
  private async loadFacts(cell: number, step: 'push' | 'settle' | null): Promise<void> {
    const { card } = this;
    const { signal } = this.context;
    try {
      const [facts, panoramas] = await Promise.all([this.source.table.facts(cell), this.source.panoramas()]);
      if (this.chosen?.cell !== cell || signal.aborted) return;
      this.chosen.facts = facts;
      const { panorama, roi } = facts;
      if (step !== null && panorama !== null && roi !== null) this.state.set({ panorama, roi }, step);
      card.showFacts(facts, panoramas.size === 0 ? undefined : (panoramas.get(panorama ?? '') ?? null));
      this.measurePanel.mark(facts.measures);
      this.announce(`${facts.cell ?? 'Cell'} chosen. ${card.summary}`);
    } catch (error) {
      if (signal.aborted || this.chosen?.cell !== cell) return;
      card.showProblem(error instanceof Problem ? error.message : 'The measurements of this cell could not be shown.');
    }
  }

  private letGo(): void {
    if (!this.chosen) return;
    this.close();
    this.state.set({ roi: null }, 'settle');
  }

  private close(): void {
    this.chosen = null;
    this.single.want([]);
    this.card.hide();
    this.measurePanel.mark(null);
    this.grid.setChosen(-1);
    this.context.root.toggleAttribute('data-chosen', false);
  }

  /** Another view of the page, Back or the host may have chosen another nucleus. */
  private followChoice(): void {
    const [panorama, roi] = [this.state.get('panorama'), this.state.get('roi')];
    const wanted = panorama === null || roi === null ? '' : `${roi} ${panorama}`;
    const facts = this.chosen?.facts;
    const here = facts ? `${facts.roi ?? ''} ${facts.panorama ?? ''}` : '';
    // A cell that was chosen here is not in the state before its name is known.
    if (wanted === here || wanted === this.lookedUp || (wanted === this.named && !facts)) return;
    this.named = wanted;
    this.absence = '';
    if (panorama === null || roi === null) {
      if (this.chosen) this.close();
      return;
    }
    this.lookedUp = wanted;
    void this.showNucleus(panorama, roi).finally(() => {
      this.lookedUp = null;
    });
  }

  /** Shows the cell of a nucleus, if it is in the draw. */
  private async showNucleus(panorama: string, roi: number): Promise<void> {
    const { state } = this;
    const cell = await this.source.table.find(panorama, roi).catch(() => null);
    if (this.context.signal.aborted || state.get('panorama') !== panorama || state.get('roi') !== roi) return;
    if (cell === null || !this.inDraw.has(cell)) {
      if (this.chosen) this.close();
      const unknown = this.source.measured ? `ROI ${roi} of ${panorama} has no cell image.` : `ROI ${roi} of ${panorama} is none of the cells that were in view.`;
      this.absence =
        cell === null ? unknown : `The nucleus chosen, ROI ${roi} of ${panorama}, is not in this draw.`;
      this.showRemark();
      return;
    }
    if (this.chosen?.cell === cell) return;
    this.showChosen(cell);
    this.showRemark();
    await this.loadFacts(cell, null);
  }

  private showRemarkSoon(): void {
    clearTimeout(this.remarkTimer);
    this.remarkTimer = setTimeout(() => {
      this.showRemark();
    }, REMARK_MS);
  }

  private showRemark(): void {
    const { measurements, remark, source } = this;
    const { text: status, failed } = source.status();
    const gaps = failed ? status : this.grid.missing > 0 ? 'Some images could not be loaded.' : '';
    const loading = measurements.awaits() ? 'Loading measurements …' : failed ? '' : status;
    const text = [gaps, measurements.problem, this.absence, loading].filter(Boolean).join(' ');
    if (remark.textContent !== text) remark.textContent = text;
    if (gaps === '' && measurements.problem === '') return;
    const again = againButton(() => {
      measurements.retry();
      this.shownFor = '';
      this.grid.retry();
      this.single.retry();
      this.apply();
    });
    remark.append(' ', again);
  }

  private announce(text: string): void {
    this.context.announcer.announce(text);
  }
}

function captionOf({ cellPx, pxPerUm }: Collection, note: string): HTMLElement {
  const caption = textElement('div', '', 'nn-caption');
  const wide = pxPerUm === null ? '' : `, ${lengthText(cellPx / pxPerUm)}`;
  caption.append(textElement('p', `Each square is ${cellPx} px${wide} wide.${note === '' ? '' : ` ${note}`}`));
  return caption;
}
