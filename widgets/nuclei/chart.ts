import { cellsCsv } from '../cells/celltable';
import type { Collection } from '../cells/collection';
import { runOf } from '../cells/draw';
import { Measurements, PANORAMA } from '../cells/measurements';
import type { Images } from '../cells/source';
import type { Facts, Table } from '../cells/table';
import { axesOf, listOf, type Columns } from '../scatter/axes';
import { legendElement } from '../scatter/legend';
import { pageStyle } from '../scatter/pagestyle';
import { Plot } from '../scatter/plot';
import { PointCard } from '../scatter/pointcard';
import { SelectionRow } from '../scatter/selectionrow';
import { gateText, parseGate, type State } from '../shared/address';
import type { Announcer } from '../shared/announcer';
import { decidingColumns, isSomethingSelected, NOTHING_SELECTED, selectedIn, selectedNuclei, type Selected } from '../shared/brush';
import { againButton, textButton, textElement } from '../shared/elements';
import type { Around } from '../shared/goto';
import type { Measure } from '../shared/measure';
import type { ListedPanorama } from '../shared/panoramalist';
import { download } from '../shared/picture';
import type { Polygon } from '../shared/polygon';
import { Problem } from '../shared/problem';
import { grouped, nuclei, rounded } from '../shared/text';
import { Details } from './details';
import { byCount, byRun, byValue, type Colours } from './levels';
import type { NucleiState } from './nucleistate';
import type { Overview } from './overview';
import { NucleusPicture } from './picture';
import { Toolbar } from './toolbar';

/** The nuclei of an edition, and what is known of them. */
export interface Nuclei {
  collection: Collection;
  table: Table;
  /** What is known of some of very many nuclei: enough to begin with. */
  overview: Overview | null;
  /** The measurements that the table has. */
  measures: Measure[];
  /** Small images; `arrived` is called for each that has come or could not be loaded. */
  thumbnails: (arrived: (cell: number) => void) => Promise<Images>;
  /** What there is to see of panoramas, by name; fetched when first called. */
  panoramas: () => Promise<ReadonlyMap<string, ListedPanorama>>;
}

/** What the view that a chart is part of gives it. */
export interface ChartContext {
  root: HTMLElement;
  state: State<NucleiState>;
  announcer: Announcer;
  around: Around;
  signal: AbortSignal;
}

/** Of a point, in CSS pixels: there are thousands. */
const RADIUS = 2.25;
const NOTHING: Columns = { x: [], y: [] };

/** The nuclei of an edition in the plane of two measurements, with one of them in detail. */
export class Chart {
  private readonly state: State<NucleiState>;
  /** Of all nuclei, and of those of the overview while there is one that has not failed. */
  private readonly whole: Measurements;
  private some: Measurements | null = null;
  /** Those of them that the plane is drawn from. */
  private measurements: Measurements;
  /** Whether the reader wants more than the overview has to show. */
  private closer = false;
  private readonly drawn = textElement('div', '', 'nn-drawn');
  private readonly plot: Plot;
  private readonly toolbar: Toolbar;
  private readonly card: PointCard<number>;
  private readonly details: Details;
  private readonly legend = textElement('div', '');
  private readonly selection: SelectionRow;
  private readonly remark = textElement('p', '', 'nn-remark');
  /** The cells that have both measurements, in ascending order, and their points. */
  private cells = new Uint32Array(0);
  private points: Columns = NOTHING;
  private inside: number[] | null = null;
  private listed: ReadonlyMap<string, ListedPanorama> | null = null;
  /** What the plane, its colours and the selection were made for: the same need not be made again. */
  private readonly madeFor = { plane: '', colours: '', selection: '' };
  private pointed = -1;
  /** The nucleus that the state named last, and its cell once that is known. */
  private named = '';
  private chosen: number | null = null;
  private absence = '';
  /** What came of saving the selection, until another one is shown. */
  private saved = '';

  constructor(
    private readonly nuclei: Nuclei,
    note: string,
    private readonly context: ChartContext,
  ) {
    const { collection, table, overview, measures, thumbnails } = nuclei;
    const { root, state, around, signal } = context;
    this.state = state;
    const arrived = () => {
      this.apply();
    };
    this.whole = new Measurements(table, arrived, signal);
    this.some = overview && new Measurements(overview, arrived, signal);
    this.measurements = this.some ?? this.whole;
    this.plot = this.buildPlot();
    this.toolbar = new Toolbar(measures, collection.runs.length > 1, {
      x: (x) => {
        this.change({ x, axes: null });
      },
      y: (y) => {
        this.change({ y, axes: null });
      },
      by: (by) => {
        this.change({ by });
      },
      lassoing: (lassoing) => {
        this.plot.setLassoing(lassoing);
      },
      zoomIn: () => {
        this.plot.zoomIn();
      },
      zoomOut: () => {
        this.plot.zoomOut();
      },
      showAll: () => {
        this.plot.showAll();
      },
    });
    this.card = new PointCard(new NucleusPicture(thumbnails), (at) => ({ name: '', facts: this.factsAt(at), pictured: true }), signal);
    this.details = new Details(around, new NucleusPicture(thumbnails), () => {
      state.set({ panorama: null, roi: null }, 'push');
      this.followChoice();
      this.plot.focus();
      this.announce('Choice cleared');
    });
    this.selection = new SelectionRow(
      () => this.save(),
      () => {
        this.dropSelection();
        this.plot.focus();
      },
    );
    this.selection.show(null, 0);
    this.remark.setAttribute('role', 'status');
    this.plot.element.append(this.card.element);
    root.append(this.toolbar.element, this.plot.element, this.drawn, this.legend, this.selection.element, this.details.element, this.remark);
    if (note) {
      const caption = textElement('div', '', 'nn-caption');
      caption.append(textElement('p', note));
      root.append(caption);
    }
    root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.isSelected) this.dropSelection();
    });
    state.onChange(() => {
      this.apply();
    });
    this.apply();
  }

  /** Draws the plane again, in the colours that the page now has. */
  refresh(): void {
    this.plot.refresh();
  }

  private buildPlot(): Plot {
    const { context, state } = this;
    return new Plot(
      { points: NOTHING, titles: { x: '', y: '' }, label: 'Nuclei', radius: RADIUS, representatives: [], centroid: null },
      () => pageStyle(context.root),
      {
        moved: (axes) => {
          state.set({ axes: axes ? listOf(axes) : null }, 'settle');
          if (axes && !this.closer) this.apply();
        },
        choose: (at) => {
          void this.choose(this.cells[at] ?? -1);
        },
        select: (lasso) => {
          if (lasso) this.select(lasso);
          this.toolbar.setLassoing(false);
          this.plot.setLassoing(false);
        },
        pointed: (at, place, byKeyboard) => {
          const { element } = this.plot;
          const changed = at !== this.pointed;
          this.pointed = at;
          this.card.show(at < 0 ? null : at, place, { width: element.clientWidth, height: element.clientHeight });
          if (at >= 0 && changed && byKeyboard) this.announce(`Nucleus: ${this.factsAt(at).join(', ')}`);
        },
        announce: (text) => {
          this.announce(text);
        },
      },
      context.signal,
    );
  }

  /** Measurements that the axes show: those of the state, where the table has them. */
  private get shown(): { x: Measure; y: Measure; by: string } {
    const { state, nuclei } = this;
    const { measures } = nuclei;
    const named = (column: string) => measures.find((measure) => measure.column === column);
    const [first, second] = measures as [Measure, Measure];
    const by = state.get('by');
    return { x: named(state.get('x')) ?? first, y: named(state.get('y')) ?? second, by: named(by) || by === 'run' ? by : 'count' };
  }

  /** Shows what the state says. */
  private apply(): void {
    const { state, whole } = this;
    const { x, y, by } = this.shown;
    const selected = selectedIn(state);
    const { lasso } = selected;
    const shown = [x.column, y.column, by];
    const wanted = [...shown, ...decidingColumns(selected), ...(lasso ? [PANORAMA] : [])];
    if (this.some && this.some.problem !== '') this.some = null;
    const { some } = this;
    this.closer ||= some === null || state.get('axes') !== null || this.isSelected;
    if (this.closer) whole.fetch(wanted);
    if (lasso && !this.listed) void this.list();
    this.toolbar.show({ x: x.column, y: y.column, by });
    const ready = this.closer && !whole.awaits(wanted) && whole.problem === '';
    if (ready) {
      this.measurements = whole;
      this.some = null;
    } else some?.fetch(shown);
    const { measurements } = this;
    if (ready || (measurements === some && !some.awaits(shown) && some.problem === '')) {
      this.showPlane(x, y);
      const axes = state.get('axes');
      this.plot.setAxes(axes ? axesOf(axes) : null);
      this.showColours(by);
      if (ready) this.showSelection();
      this.followChoice();
    }
    this.showDrawn();
    this.showRemark();
  }

  /** Says of a plane that does not show all nuclei which it shows. */
  private showDrawn(): void {
    const { drawn, measurements, nuclei: { collection }, some } = this;
    const part = some !== null && measurements === some && this.madeFor.plane !== '';
    drawn.hidden = !part;
    if (!part) return;
    const text = `Drawn from ${grouped(this.cells.length)} of ${nuclei(collection.cells)}: a random sample, with the lowest and the highest of each measurement.`;
    if (drawn.dataset.closer === String(this.closer) && drawn.firstChild?.textContent === text) return;
    drawn.dataset.closer = String(this.closer);
    drawn.replaceChildren(textElement('span', text));
    if (this.closer) return;
    drawn.append(textButton('Draw all', () => {
      this.lookCloser();
      this.plot.focus();
    }, 'nn-quiet'));
  }

  /** Has the plane drawn from all nuclei. */
  private lookCloser(): void {
    this.closer = true;
    this.apply();
  }

  private change(values: Partial<NucleiState>): void {
    this.state.set(values, 'settle');
    this.apply();
  }

  private showPlane(x: Measure, y: Measure): void {
    const { columns } = this.measurements;
    const [xs, ys] = [columns.get(x.column), columns.get(y.column)];
    const some = this.measurements === this.some;
    const plane = `${x.column} ${y.column} ${some ? 'some' : 'all'}`;
    if (!xs || !ys || plane === this.madeFor.plane) return;
    this.cells = cellsWithBoth(xs, ys);
    this.points = { x: Float32Array.from(this.cells, (cell) => xs[cell] ?? 0), y: Float32Array.from(this.cells, (cell) => ys[cell] ?? 0) };
    Object.assign(this.madeFor, { plane, colours: '', selection: '' });
    this.plot.setSubject({
      points: this.points,
      titles: { x: titleOf(x), y: titleOf(y) },
      label: `${some ? `A sample of ${grouped(this.cells.length)} of ` : ''}${nuclei(some ? this.nuclei.collection.cells : this.cells.length)} by ${x.name.toLowerCase()} and ${y.name.toLowerCase()}`,
      radius: RADIUS,
      representatives: [],
      centroid: null,
    });
    this.mark();
  }

  private showColours(by: string): void {
    if (by === this.madeFor.colours) return;
    this.madeFor.colours = by;
    const { cells, measurements, nuclei, points } = this;
    const values = measurements.columns.get(by);
    const colours: Colours = values ? byValue(cells, values) : by === 'run' ? byRun(cells, nuclei.collection.runs) : byCount(points);
    const measure = nuclei.measures.find(({ column }) => column === by);
    this.plot.setLevels(colours.levels, by === 'count' ? 'count' : 'level');
    const title = measure ? titleOf(measure) : by === 'run' ? 'Experiment' : 'Nuclei near it';
    this.legend.replaceChildren(legendElement(colours.legend, title, measurements === this.some ? ' of those drawn' : ''));
  }

  private get isSelected(): boolean {
    return isSomethingSelected(this.state);
  }

  private select(corners: Polygon): void {
    const { x, y } = this.shown;
    this.state.set({ gate: gateText({ x: x.column, y: y.column, corners }) }, 'push');
    this.apply();
  }

  private dropSelection(): void {
    this.state.set({ ...NOTHING_SELECTED }, 'push');
    this.apply();
    this.announce('Selection cleared');
  }

  /** Shows which nuclei are in the lasso over nuclei, in panoramas of the lasso over those, and pass the filter of cells. */
  private showSelection(): void {
    const { cells, listed, measurements, plot, state } = this;
    const wanted = selectedIn(state);
    const made = JSON.stringify([wanted, listed !== null]);
    if (made === this.madeFor.selection || (wanted.lasso && !listed)) return;
    this.madeFor.selection = made;
    this.saved = '';
    const { columns, kinds, panoramas } = measurements;
    const selected = selectedNuclei(this.nuclei.collection.cells, wanted, { columns, kinds, panoramas, listed: listed ?? new Map() });
    const { x, y } = this.shown;
    const drawn = parseGate(wanted.gate ?? '');
    const here = drawn?.x === x.column && drawn.y === y.column ? drawn.corners : null;
    plot.setLasso(here, selected && Uint8Array.from(cells, (cell) => selected[cell] ?? 0));
    this.inside = selected && [...cells.filter((cell) => selected[cell] === 1)];
    this.selection.show(this.inside && this.countText(this.inside, wanted), this.inside?.length ?? 0);
  }

  private countText(inside: number[], { lasso, filter }: Selected): string {
    const { x, y } = this.shown;
    const mean = ({ column, name, unit }: Measure) => {
      const values = this.measurements.columns.get(column);
      const sum = inside.reduce((total, cell) => total + (values?.[cell] ?? 0), 0);
      return `${name.toLowerCase()} ${rounded(sum / inside.length)}${unit === '' ? '' : ` ${unit}`}`;
    };
    const where = [
      lasso === null ? '' : ', of panoramas that are in the lasso over those',
      filter === null ? '' : ', which pass the filter of the cells',
    ].join('');
    const count = `${grouped(inside.length)} of ${nuclei(this.cells.length)} selected${where}.`;
    return inside.length === 0 ? count : `${count} Means: ${mean(x)}, ${mean(y)}.`;
  }

  private async save(): Promise<void> {
    const { inside } = this;
    if (!inside) return;
    try {
      const { text, note } = await cellsCsv(this.nuclei.table, inside);
      download(new Blob([text], { type: 'text/csv' }), 'nuclei_selected.csv');
      this.saved = `The table of ${nuclei(inside.length)} was saved. ${note}`.trimEnd();
    } catch (error) {
      this.saved = error instanceof Problem ? error.message : 'The table could not be saved.';
    }
    this.showRemark();
  }

  private async list(): Promise<void> {
    const listed = await this.nuclei.panoramas();
    if (this.context.signal.aborted || this.listed) return;
    this.listed = listed;
    this.apply();
  }

  /** Chooses a cell: the state then names its nucleus, which other views show. */
  private async choose(cell: number): Promise<void> {
    if (cell < 0) return;
    try {
      const facts = await this.nuclei.table.facts(cell);
      if (this.context.signal.aborted || facts.panorama === null || facts.roi === null) return;
      this.named = nameOf(facts.panorama, facts.roi);
      this.state.set({ panorama: facts.panorama, roi: facts.roi }, 'push');
      await this.showChosen(cell, facts);
    } catch (error) {
      if (this.context.signal.aborted) return;
      this.absence = error instanceof Problem ? error.message : 'This nucleus could not be shown.';
      this.showRemark();
    }
  }

  private async showChosen(cell: number, facts: Facts): Promise<void> {
    const panoramas = await this.nuclei.panoramas();
    if (this.context.signal.aborted || this.named !== nameOf(facts.panorama, facts.roi)) return;
    this.chosen = cell;
    this.absence = '';
    this.mark();
    if (!this.closer && placeOf(this.cells, cell) < 0) this.lookCloser();
    this.details.show(cell, facts, this.wordsOf(facts), panoramas.size === 0 ? undefined : (panoramas.get(facts.panorama ?? '') ?? null));
    this.showRemark();
    this.announce(`${facts.cell ?? 'Nucleus'} chosen. ${this.details.summary}`);
  }

  /** Another view of the page, Back or the host may have chosen another nucleus. */
  private followChoice(): void {
    const [panorama, roi] = [this.state.get('panorama'), this.state.get('roi')];
    const wanted = panorama === null || roi === null ? '' : nameOf(panorama, roi);
    if (wanted === this.named) return;
    this.named = wanted;
    this.absence = '';
    this.chosen = null;
    this.mark();
    this.details.hide();
    if (panorama !== null && roi !== null) void this.find(panorama, roi);
  }

  private async find(panorama: string, roi: number): Promise<void> {
    const { table } = this.nuclei;
    const cell = await table.find(panorama, roi).catch(() => null);
    const facts = cell === null ? null : await table.facts(cell).catch(() => null);
    if (this.context.signal.aborted || this.named !== nameOf(panorama, roi)) return;
    if (cell !== null && facts) await this.showChosen(cell, facts);
    else {
      this.absence = `ROI ${roi} of ${panorama} has no cell image, and no place in the plane.`;
      this.showRemark();
    }
  }

  private mark(): void {
    this.plot.setChosen(this.chosen === null ? -1 : placeOf(this.cells, this.chosen));
  }

  private factsAt(at: number): string[] {
    const cell = this.cells[at] ?? 0;
    const { x, y, by } = this.shown;
    const columns = new Set([x.column, y.column, by]);
    const { columns: known } = this.measurements;
    const values = this.nuclei.measures.flatMap(({ column, name, unit }) => {
      const value = columns.has(column) ? known.get(column)?.[cell] : undefined;
      return value === undefined || Number.isNaN(value) ? [] : [factOf(name, value, unit)];
    });
    const run = runOf(this.nuclei.collection.runs, cell);
    return run === null ? values : [...values, `experiment ${run}`];
  }

  private wordsOf({ measures, kind, run, passage }: Facts): string[] {
    const values = this.nuclei.measures.flatMap(({ column, name, unit }) => {
      const value = measures.get(column);
      return value === undefined ? [] : [factOf(name, value, unit)];
    });
    if (kind !== null) values.push(kind);
    return run === null ? values : [...values, `experiment ${run}${passage === null ? '' : `, passage ${passage}`}`];
  }

  private showRemark(): void {
    const { remark, some, whole } = this;
    const { problem } = whole;
    const text = problem || this.absence || (whole.awaits() || some?.awaits() === true ? 'Loading measurements …' : this.saved);
    if (remark.textContent !== text || problem !== '') remark.textContent = text;
    if (problem === '') return;
    const again = againButton(() => {
      whole.retry();
      this.apply();
    });
    remark.append(' ', again);
  }

  private announce(text: string): void {
    this.context.announcer.announce(text);
  }
}

/** The cells of which both values are known, in ascending order. */
function cellsWithBoth(xs: Float32Array, ys: Float32Array): Uint32Array<ArrayBuffer> {
  const cells = new Uint32Array(xs.length);
  let count = 0;
  for (let cell = 0; cell < xs.length; cell++) if (Number.isFinite(xs[cell]) && Number.isFinite(ys[cell])) cells[count++] = cell;
  return cells.slice(0, count);
}

function titleOf({ column, name, unit }: Measure): string {
  const of = column.endsWith('_intensity') ? 'grey levels, 8 bit' : column === 'texture' ? 'standard deviation ÷ mean of intensity' : unit;
  return of === '' ? name : `${name} (${of})`;
}

function factOf(name: string, value: number, unit: string): string {
  return `${name.toLowerCase()} ${rounded(value)}${unit === '' || unit === '°' ? unit : ` ${unit}`}`;
}

function nameOf(panorama: string | null, roi: number | null): string {
  return `${roi ?? ''} ${panorama ?? ''}`;
}

/** Where a cell is among ascending ones; -1 where it is none of them. */
function placeOf(cells: Uint32Array, cell: number): number {
  let [low, high] = [0, cells.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const one = cells[middle] ?? 0;
    if (one === cell) return middle;
    if (one < cell) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
