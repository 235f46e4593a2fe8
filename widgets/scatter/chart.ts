import { titles } from '../../src/nnbook/figures/count_brightness.json';
import type { State } from '../shared/address';
import type { Announcer } from '../shared/announcer';
import { csvText } from '../shared/csv';
import { textElement } from '../shared/elements';
import type { Around } from '../shared/goto';
import { download } from '../shared/picture';
import { grouped } from '../shared/text';
import { axesOf, listOf } from './axes';
import { averagesOf, pointsOf, type Panorama, type Point } from './collection';
import { BY, colouring, type By } from './colours';
import { Details } from './details';
import { radiusFor } from './drawing';
import { factsOf, Preview, selectionText, spoken } from './facts';
import { legendElement } from './legend';
import { Listing } from './listing';
import { pageStyle } from './pagestyle';
import { Plot } from './plot';
import { PointCard } from './pointcard';
import type { ScatterState } from './scatterstate';
import { SelectionRow } from './selectionrow';
import { Toolbar } from './toolbar';

/** What the view that a chart is part of gives it. */
export interface ChartContext {
  root: HTMLElement;
  state: State<ScatterState>;
  announcer: Announcer;
  around: Around;
  signal: AbortSignal;
}

/** The panoramas of an edition: in the plane of count and brightness or in a table, with one of them in detail. */
export class Chart {
  private readonly state: State<ScatterState>;
  private readonly points: Point[];
  /** Panoramas in the order of their points, and the place in it of each. */
  private readonly inPlane: Panorama[];
  private readonly places: Map<string, number>;
  private readonly byName: Map<string, Panorama>;
  private readonly colours: ReadonlySet<By>;
  private readonly plot: Plot;
  private readonly toolbar: Toolbar;
  private readonly card: PointCard<Panorama>;
  private readonly listing: Listing;
  private readonly details: Details;
  private readonly selection: SelectionRow;
  private readonly legend = textElement('div', '');
  private readonly remark = textElement('p', '', 'nn-remark');
  /** The name searched for, the points that have it, and which of them is shown. */
  private search = '';
  private found: number[] = [];
  private shownFound = 0;
  /** Points inside the lasso; null without one. */
  private within: number[] | null = null;
  private pointed = -1;
  /** For each point, those of the same experiment or passage. */
  private groups: number[][] = [];

  constructor(
    private readonly panoramas: Panorama[],
    note: string,
    private readonly context: ChartContext,
  ) {
    const { root, state, around, signal } = context;
    const points = pointsOf(panoramas);
    this.state = state;
    this.points = points;
    this.inPlane = points.map(({ panorama }) => panorama);
    this.places = new Map(points.map(({ panorama }, at) => [panorama.name, at]));
    this.byName = new Map(panoramas.map((panorama) => [panorama.name, panorama]));
    this.colours = new Set(BY.filter((by) => by === 'std' || this.inPlane.some((panorama) => panorama[by] !== null)));
    this.plot = this.buildPlot();
    this.toolbar = this.buildToolbar();
    this.card = new PointCard(
      new Preview(signal),
      (panorama: Panorama) => ({ name: panorama.name, facts: factsOf(panorama), pictured: panorama.preview !== null }),
      signal,
    );
    this.listing = new Listing(panoramas, (panorama) => {
      this.choose(panorama);
    });
    this.details = new Details(
      around,
      () => {
        this.choose(null);
        this.focusAgain();
      },
      signal,
    );
    this.selection = new SelectionRow(
      () => {
        const chosen = (this.within ?? []).flatMap((at) => this.inPlane[at] ?? []);
        download(new Blob([panoramasCsv(chosen)], { type: 'text/csv' }), 'panoramas_selected.csv');
      },
      () => {
        this.dropLasso();
        this.focusAgain();
      },
    );
    this.remark.setAttribute('role', 'status');
    this.plot.element.append(this.card.element);
    root.append(
      this.toolbar.element,
      this.plot.element,
      this.legend,
      this.listing.element,
      this.selection.element,
      this.details.element,
      this.remark,
      captionOf(panoramas.length - points.length, note),
    );
    root.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || state.get('lasso') === null) return;
      this.dropLasso();
      this.announce('Selection cleared');
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
    const { context, inPlane, points, state } = this;
    const representatives = inPlane.flatMap(({ rank }, at) => (rank === null ? [] : [{ at, rank }]));
    representatives.sort((a, b) => a.rank - b.rank);
    return new Plot(
      {
        points: { x: Float64Array.from(points, ({ x }) => x), y: Float64Array.from(points, ({ y }) => y) },
        titles: { x: titles.count, y: titles.mean },
        label: `${points.length} panoramas by number of nuclei and brightness`,
        radius: radiusFor(points.length),
        representatives,
        centroid: averagesOf(points),
      },
      () => pageStyle(context.root),
      {
        moved: (axes) => {
          state.set({ axes: axes ? listOf(axes) : null }, 'settle');
        },
        choose: (at) => {
          const panorama = inPlane[at];
          if (panorama) this.choose(panorama);
        },
        select: (lasso) => {
          if (lasso) state.set({ lasso }, 'push');
          this.toolbar.setLassoing(false);
          this.plot.setLassoing(false);
          this.showLasso();
        },
        pointed: (at, place, byKeyboard) => {
          const { element } = this.plot;
          const changed = at !== this.pointed;
          this.pointed = at;
          const panorama = inPlane[at] ?? null;
          this.card.show(panorama, place, { width: element.clientWidth, height: element.clientHeight });
          if (changed) this.showLifted();
          if (panorama && changed && byKeyboard) this.announce(spoken(panorama));
        },
        announce: (text) => {
          this.announce(text);
        },
      },
      context.signal,
    );
  }

  private buildToolbar(): Toolbar {
    const { plot, state } = this;
    return new Toolbar(this.colours, {
      by: (by) => {
        state.set({ by }, 'settle');
        this.showColours();
      },
      lassoing: (lassoing) => {
        plot.setLassoing(lassoing);
      },
      zoomIn: () => {
        plot.zoomIn();
      },
      zoomOut: () => {
        plot.zoomOut();
      },
      showAll: () => {
        plot.showAll();
      },
      table: (table) => {
        state.set({ table }, 'settle');
        this.showTable();
      },
      find: (text) => {
        this.search = text;
        this.found = text === '' ? [] : findAll(this.inPlane, text);
        this.shownFound = 0;
        this.showFound();
        this.showRows();
      },
      step: (steps) => {
        const { length } = this.found;
        this.shownFound = length === 0 ? 0 : (this.shownFound + steps + length) % length;
        this.showFound();
      },
      open: () => {
        const panorama = this.inPlane[this.found[this.shownFound] ?? -1];
        if (panorama) this.choose(panorama);
      },
    });
  }

  /** Shows what the state says. */
  private apply(): void {
    const axes = this.state.get('axes');
    this.plot.setAxes(axes ? axesOf(axes) : null);
    this.showColours();
    this.showLasso();
    this.showChosen();
    this.showTable();
  }

  private choose(panorama: Panorama | null): void {
    this.state.set({ panorama: panorama?.name ?? null, roi: null }, 'push');
    this.showChosen();
    this.announce(panorama ? `${panorama.name} chosen. ${this.details.summary}` : 'Choice cleared');
  }

  private dropLasso(): void {
    this.state.set({ lasso: null }, 'push');
    this.showLasso();
  }

  /** After a button that is gone: what it was about gets the focus. */
  private focusAgain(): void {
    if (this.state.get('table')) this.listing.focus();
    else this.plot.focus();
  }

  private showChosen(): void {
    const name = this.state.get('panorama');
    const panorama = name === null ? null : (this.byName.get(name) ?? null);
    this.plot.setChosen(panorama ? (this.places.get(panorama.name) ?? -1) : -1);
    this.details.show(panorama);
    this.listing.setChosen(panorama?.name ?? null);
    this.remark.textContent =
      name !== null && !panorama ? `The address names a panorama that is not one of these: ${name}.` : '';
  }

  private showLasso(): void {
    const { points } = this;
    const lasso = this.state.get('lasso');
    const within = this.plot.setLasso(lasso);
    const inside = within ? points.flatMap((_, at) => (within[at] === 1 ? [at] : [])) : [];
    this.selection.show(lasso && selectionText(averagesOf(inside.flatMap((at) => points[at] ?? [])), points.length), inside.length);
    this.within = lasso ? inside : null;
    this.showRows();
  }

  /** Lists the panoramas that are in the lasso and match the search. */
  private showRows(): void {
    const { search, within } = this;
    const inLasso = within ? within.flatMap((at) => this.inPlane[at] ?? []) : this.panoramas;
    const rows = search === '' ? inLasso : inLasso.filter(({ name }) => hasText(name, search));
    const of = [within ? 'in the lasso' : '', search === '' ? '' : `with “${search}” in their name`].filter(Boolean);
    this.listing.show(rows, [`${grouped(rows.length)} panoramas`, ...of].join(' '));
  }

  private showColours(): void {
    const wanted = this.state.get('by');
    const by = this.colours.has(wanted) ? wanted : 'std';
    const { levels, legend, groups } = colouring(this.inPlane, by);
    this.groups = groups;
    this.plot.setLevels(levels);
    this.toolbar.setBy(by);
    this.legend.replaceChildren(legendElement(legend, LEGENDS[by]));
    this.showLifted();
  }

  /** Marks the points found, or else those that belong together with the one pointed at. */
  private showLifted(): void {
    this.plot.setLifted(this.found.length > 0 ? this.found : (this.groups[this.pointed] ?? []));
  }

  private showTable(): void {
    const table = this.state.get('table');
    this.toolbar.setTable(table);
    this.plot.element.hidden = table;
    this.legend.hidden = table;
    this.listing.element.hidden = !table;
  }

  private showFound(): void {
    const { found, plot, search, shownFound } = this;
    const at = found[shownFound];
    const summary = search === '' ? '' : found.length === 0 ? 'none' : `${shownFound + 1} of ${grouped(found.length)}`;
    this.toolbar.setFound(summary);
    this.showLifted();
    const panorama = at === undefined ? undefined : this.inPlane[at];
    if (at === undefined || !panorama) {
      plot.hidePointed();
      if (search !== '') this.announce('No panorama of this name');
      return;
    }
    plot.reveal(at);
    this.announce(`${summary}. ${spoken(panorama)}`);
  }

  private announce(text: string): void {
    this.context.announcer.announce(text);
  }
}

function panoramasCsv(panoramas: Panorama[]): string {
  return csvText(
    ['panorama', 'run', 'passage', 'num_rois', 'mean_intensity', 'std_intensity', 'rank'],
    panoramas.map(({ name, run, passage, rois, mean, spread, rank }) => [name, run, passage, rois, mean, spread, rank]),
  );
}

/** What colours show. */
const LEGENDS: Record<By, string> = { std: titles.spread, run: 'Experiment', passage: 'Passage' };

function captionOf(unmeasured: number, note: string): HTMLElement {
  const caption = textElement('div', '', 'nn-caption');
  if (unmeasured > 0) {
    const words = unmeasured === 1 ? '1 panorama has' : `${grouped(unmeasured)} panoramas have`;
    caption.append(textElement('p', `${words} no nucleus, and no place in the plane.`));
  }
  if (note) caption.append(textElement('p', note));
  return caption;
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
