import type { State } from '../shared/address';
import type { Announcer } from '../shared/announcer';
import { decidingColumns, selectedNuclei } from '../shared/brush';
import { contrastTable, PLAIN, type Contrast } from '../shared/contrast';
import { ContrastPanel } from '../shared/contrastpanel';
import { contrastOf, contrastState } from '../shared/contraststate';
import { againButton, textButton, textElement } from '../shared/elements';
import { filterText, NO_FILTER, parseFilter, passing, type Filter } from '../shared/filter';
import { followFullScreen, NO_FULL_SCREEN, toggledFullScreen } from '../shared/fullscreen';
import type { Around } from '../shared/goto';
import { MEASURES } from '../shared/measure';
import type { ListedPanorama } from '../shared/panoramalist';
import { download, viewPicture } from '../shared/picture';
import { Problem } from '../shared/problem';
import { lengthText } from '../shared/scalebar';
import { grouped, nameOf, rounded } from '../shared/text';
import { Card } from './card';
import { nucleusOf, type CellState } from './cellstate';
import { namedCells, ordered, orderText, parseOrder, type Order } from './choice';
import type { Collection } from './collection';
import { freshSeed } from './draw';
import { Grid } from './grid';
import { ALIKE, COMPARED, mostAlike } from './likeness';
import { CLASS, Measurements, PANORAMA, ROI } from './measurements';
import { MeasurePanel } from './measurepanel';
import type { CellSource, Images } from './source';
import type { Facts } from './table';
import { Toolbar } from './toolbar';

/** Images that are kept: 48 MB of thumbnails, which is a whole draw, and 24 MB of full ones. */
const THUMBNAILS = 12_288;
const FULL = 384;
/** Most cells that are found by name. */
const FOUND = 10_000;
/** Of at most so many cells all names are loaded, once the reader comes to them. */
const NAMED = 50_000;
const NONE_FOUND = 'No panorama and no cell has this in its name. Type a part of a name, such as top_left or ROI_12.';
const NONE_LIKE_THAT = 'None of these cells is like that. Widen a range, or make a new draw.';
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
  /** What is said of the data in a picture that leaves the page. */
  pictureNote: string;
  /** The address that shows what is shown; null where the view has none of its own. */
  link: (() => string) | null;
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
  private readonly none = textElement('p', '', 'nn-none');
  private readonly remark = textElement('p', '', 'nn-remark');
  /** What cells are chosen from besides a draw, and the way back to that. */
  private readonly scope = textElement('div', '', 'nn-scope');
  private readonly scopeText = textElement('span', '');
  private seed = 0;
  /** Cells of which some are shown, and what they are: a draw, or those of a name, or those like one. */
  private drawn: number[] = [];
  private inDraw = new Set<number>();
  private drawnFor = '';
  /** The cell of which the state wants those that are most like it. */
  private like: { name: string; cell: number | null } | null = null;
  private listed: ReadonlyMap<string, ListedPanorama> | null = null;
  private selection: { key: string; cells: Uint8Array | null } = { key: '', cells: null };
  /** What came of what the reader wanted. */
  private notice = '';
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
        this.grid.rename();
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
        alike: source.measured
          ? () => {
              this.showAlike();
            }
          : null,
        link: context.link,
        close: () => {
          this.letGo();
          this.grid.focus();
        },
      },
      signal,
    );
    this.remark.setAttribute('role', 'status');
    this.measurePanel.element.hidden = true;
    this.scopeText.setAttribute('role', 'status');
    const back = textButton('Back to the draw', () => {
      state.set({ find: null, like: null, gate: null, lasso: null, at: null }, 'push');
      this.apply();
      this.grid.focus();
    });
    this.scope.append(this.scopeText, back);
    const stage = textElement('div', '', 'nn-stage');
    stage.append(this.grid.element, this.none);
    const body = textElement('div', '', 'nn-body');
    body.append(stage, this.card.element);
    root.append(
      this.toolbar.element,
      this.contrastPanel.element,
      this.measurePanel.element,
      this.scope,
      body,
      this.remark,
      captionOf(collection, context.note),
    );
    if (source.measured && collection.cells <= NAMED) {
      const name = () => {
        this.measurements.fetch([PANORAMA, ROI]);
      };
      for (const event of ['pointerenter', 'focusin']) this.grid.element.addEventListener(event, name, { once: true, signal });
    }
    followFullScreen(root);
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
      draw: (seed) => {
        state.set({ draw: seed ?? freshSeed(), find: null, like: null, at: null }, 'push');
        this.apply();
        this.announce(`Draw with seed ${state.get('draw') ?? ''}`);
      },
      find: (find) => {
        if (find === state.get('find')) return;
        state.set({ find, like: null, at: null }, 'push');
        this.apply();
      },
      savePicture: () => void this.savePicture(),
      saveTable: this.source.csv ? () => void this.saveTable() : null,
      fullScreen: document.fullscreenEnabled ? () => void this.toggleFullScreen() : null,
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
    const { measurePanel, measurements, source, state } = this;
    this.showContrast();
    const filter = this.filter();
    if (filter.ranges.size > 0 || filter.kind !== null) this.openMeasures(true);
    this.grid.setSize(state.get('size'));
    const order = this.order();
    const open = !measurePanel.element.hidden;
    // Those that decide on the cells, and those that an open panel shows besides.
    const deciding = [...filter.ranges.keys(), ...(order ? [order.column] : []), ...(filter.kind === null ? [] : [CLASS]), ...this.scopeColumns()];
    measurements.fetch([...deciding, ...(open ? [...MEASURES.map(({ column }) => column), CLASS] : [])]);
    if (!measurements.awaits(deciding) && this.draw()) this.showCells(filter, order);
    if (source.measured && state.get('lasso') && !this.listed) void this.list();
    this.showToolbar();
    this.showScope();
    if (this.drawnFor !== '') this.followChoice();
    this.showRemark();
  }

  /** Columns that decide on the cells besides filter and order. */
  private scopeColumns(): string[] {
    const { source, state } = this;
    if (!source.measured) return [];
    return [
      ...decidingColumns({ gate: state.get('gate'), filter: null }),
      ...(state.get('lasso') ? [PANORAMA] : []),
      ...(state.get('find') === null ? [] : [PANORAMA, ROI]),
      ...(state.get('like') === null ? [] : COMPARED.map(({ column }) => column)),
    ];
  }

  /**
   * Draws cells by the seed of the state, or takes those of a name or most like one in their place; false as long as it is not
   * known which these are. A reader who brings no seed is given one, which is then in the address: that of the draw whose
   * thumbnails are together, where there is one.
   */
  private draw(): boolean {
    const { measurements, seed, source, state } = this;
    const given = state.get('draw');
    this.seed = given ?? (seed === 0 ? (this.collection.draw?.seed ?? freshSeed()) : seed);
    if (given === null) state.set({ draw: this.seed }, 'settle');
    const [find, like] = source.measured ? [state.get('find'), state.get('like')] : [null, null];
    const wanted = JSON.stringify(like !== null ? ['like', like] : find !== null ? ['find', find] : [this.seed]);
    if (wanted === this.drawnFor) return true;
    if (like !== null) {
      if (this.like?.name !== like) {
        void this.findLike(like);
        return false;
      }
      const { columns } = measurements;
      const compared = COMPARED.flatMap(({ column }) => columns.get(column) ?? []);
      this.drawn = this.like.cell === null ? [] : mostAlike(this.like.cell, compared, ALIKE);
    } else if (find !== null) this.drawn = namedCells(find, measurements.panoramas, measurements.columns.get(ROI), FOUND);
    else this.drawn = source.draw(this.seed);
    this.inDraw = new Set(this.drawn);
    this.drawnFor = wanted;
    return true;
  }

  private async findLike(name: string): Promise<void> {
    const nucleus = nucleusOf(name);
    const cell = nucleus && (await this.source.table.find(nucleus.panorama, nucleus.roi).catch(() => null));
    if (this.context.signal.aborted || this.state.get('like') !== name) return;
    this.like = { name, cell };
    this.apply();
  }

  private showAlike(): void {
    const name = this.chosen?.facts?.cell ?? null;
    if (name === null) return;
    this.state.set({ like: name, find: null, filter: null, run: null, sort: null, at: null }, 'push');
    if (this.card.isOver) this.letGo();
    this.apply();
  }

  private async list(): Promise<void> {
    const listed = await this.source.panoramas();
    if (this.context.signal.aborted || this.listed) return;
    this.listed = listed;
    this.apply();
  }

  /** 1 for each cell that is selected elsewhere on the page, else 0; null where nothing is selected there. */
  private selected(): Uint8Array | null {
    const { collection, listed, measurements, source, state } = this;
    const [lasso, gate] = [listed ? state.get('lasso') : null, state.get('gate')];
    if (!source.measured || (lasso === null && gate === null)) return null;
    const key = JSON.stringify([lasso, gate]);
    if (key !== this.selection.key) {
      const { columns, kinds, panoramas } = measurements;
      // The filter is of the draw alone: the panel shows what of it passes.
      const selected = { lasso, gate, filter: null };
      this.selection = { key, cells: selectedNuclei(collection.cells, selected, { columns, kinds, panoramas, listed: listed ?? new Map() }) };
    }
    return this.selection.cells;
  }

  /** Says what cells are shown in place of a draw, or of a draw. */
  private showScope(): void {
    const { source, state } = this;
    const within = !source.measured ? [] : [...(state.get('gate') === null ? [] : ['nuclei selected with the lasso']), ...(state.get('lasso') ? ['panoramas selected with the lasso'] : [])];
    const parts = [this.scopeWords(), within.length === 0 ? '' : `Only cells of ${within.join(', and of ')}.`];
    const text = parts.filter(Boolean).join(' ');
    this.scope.hidden = text === '';
    if (this.scopeText.textContent !== text) this.scopeText.textContent = text;
  }

  private scopeWords(): string {
    const { source, state } = this;
    if (!source.measured) return '';
    const [find, like] = [state.get('find'), state.get('like')];
    if (like !== null) {
      if (this.like?.name === like && this.like.cell === null) return `There is no cell ${like} here.`;
      const known = COMPARED.filter(({ column }) => this.measurements.columns.has(column)).map(({ name }) => name.toLowerCase());
      return `Most like ${like}, the nearest first, by ${known.slice(0, -1).join(', ')} and ${known.at(-1) ?? ''}, each divided by its standard deviation over all cells.`;
    }
    return find === null ? '' : `Cells whose panorama or own name has “${find}”, in all of the collection. Nuclei that the edge of their panorama cuts give no cell.`;
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
    const order = this.order();
    const measure = MEASURES.find(({ column }) => column === order?.column);
    const value = measure && this.measurements.columns.get(measure.column)?.[cell];
    const measured = value === undefined || Number.isNaN(value) ? '' : `, ${measure?.name ?? ''} ${rounded(value)} ${measure?.unit ?? ''}`.trimEnd();
    return `${this.ownName(cell) ?? `Cell ${grouped(at + 1)}`}${measured}`;
  }

  /** A cell's name, as everywhere in the book; null while the columns that it is made of have not come. */
  private ownName(cell: number): string | null {
    const { columns, panoramas } = this.measurements;
    const panorama = panoramas?.names[(panoramas.codes[cell] ?? 0) - 1];
    const roi = columns.get(ROI)?.[cell];
    return panorama === undefined || roi === undefined ? null : nameOf({ panorama, roi });
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
      scope: state.get('like') !== null || state.get('find') !== null ? `${grouped(drawn.length)} ${drawn.length === 1 ? 'cell' : 'cells'}` : '',
      find: state.get('find'),
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
    const { chosen, drawn, drawnFor, grid, measurePanel, measurements, state } = this;
    const { columns, kinds } = measurements;
    const run = this.run();
    const ofRun = run ? drawn.filter((cell) => cell >= run.first && cell < run.first + run.cells) : drawn;
    const selected = this.selected();
    const inScope = selected ? ofRun.filter((cell) => selected[cell] === 1) : ofRun;
    const shownFor = [drawnFor, run?.run, state.get('filter'), state.get('sort'), selected && this.selection.key].join('|');
    if (shownFor !== this.shownFor) {
      const again = this.shownFor !== '';
      this.shownFor = shownFor;
      const shown = ordered(passing(inScope, filter, columns, kinds), order, columns);
      this.shown = shown;
      grid.show(shown, Math.min(shown.length, state.get('at') ?? 1) - 1);
      grid.setChosen(chosen ? shown.indexOf(chosen.cell) : -1);
      this.none.hidden = shown.length > 0;
      this.none.textContent = drawn.length === 0 && state.get('find') !== null ? NONE_FOUND : NONE_LIKE_THAT;
      if (again) this.announce(`${grouped(shown.length)} ${shown.length === 1 ? 'cell' : 'cells'} shown. ${this.none.hidden ? '' : this.none.textContent}`.trim());
    }
    if (!measurePanel.element.hidden) measurePanel.show(drawn, inScope, filter, columns, kinds, measurements.awaits());
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
    this.card.show(this.ownName(cell) ?? 'Cell');
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

  private async savePicture(): Promise<void> {
    const { collection, context, grid, source, state } = this;
    const image = grid.picture();
    if (!image) return;
    const { pxPerUm, cellPx } = collection;
    const picture = viewPicture({
      image,
      over: [],
      contrast: PLAIN,
      pixelsPerMicrometre: pxPerUm === null ? null : (pxPerUm * grid.side) / cellPx,
      ratio: Math.max(1, image.width / 900),
      title: state.get('like') ?? state.get('find') ?? `Cells of draw ${this.seed}`,
      lines: [this.scope.hidden ? '' : this.scopeText.textContent, this.orderWords(), context.pictureNote].filter(Boolean),
    });
    try {
      download(await picture, source.measured ? `cells-draw-${this.seed}.png` : 'cells.png');
      this.notice = 'The cells in view were saved as a picture.';
    } catch {
      this.notice = 'This browser does not let the page save the picture.';
    }
    this.showRemark();
  }

  private orderWords(): string {
    const order = this.order();
    const measure = MEASURES.find(({ column }) => column === order?.column);
    return measure ? `By ${measure.name.toLowerCase()}, the ${order?.down ? 'largest' : 'smallest'} first.` : '';
  }

  private async saveTable(): Promise<void> {
    const { csv } = this.source;
    if (!csv) return;
    this.notice = 'Collecting the table …';
    this.showRemark();
    try {
      const { shown } = this;
      const { text, note } = await csv(shown);
      download(new Blob([text], { type: 'text/csv' }), `cells-draw-${this.seed}.csv`);
      this.notice = `The table of ${grouped(shown.length)} cells was saved. ${note}`.trimEnd();
    } catch (error) {
      this.notice = error instanceof Problem ? error.message : 'The table could not be saved.';
    }
    this.showRemark();
  }

  private async toggleFullScreen(): Promise<void> {
    this.notice = (await toggledFullScreen(this.context.root)) ? '' : NO_FULL_SCREEN;
    this.showRemark();
  }

  private letGo(): void {
    if (!this.chosen) return;
    this.close();
    this.state.set({ roi: null }, 'settle');
    this.announce('Choice cleared');
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
        cell === null ? unknown : `The nucleus chosen, ROI ${roi} of ${panorama}, is not among these cells.`;
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
    const text = [gaps, measurements.problem, this.absence, this.notice, loading].filter(Boolean).join(' ');
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
