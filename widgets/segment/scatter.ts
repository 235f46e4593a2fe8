import type { Axes } from '../scatter/axes';
import { pageStyle } from '../scatter/pagestyle';
import { Plot } from '../scatter/plot';
import { PointCard } from '../scatter/pointcard';
import { SelectionRow } from '../scatter/selectionrow';
import { lassoButton } from '../scatter/toolbar';
import { Announcer } from '../shared/announcer';
import { disclosureButton, iconButton, textElement } from '../shared/elements';
import type { Polygon } from '../shared/polygon';
import { grouped, nuclei as nucleiText, rounded } from '../shared/text';
import type { Nucleus } from './masks';
import { MEASURES, nameOf, planeOf, titleOf, unitOf, valueOf, type MeasureName, type Plane } from './measures';

export interface NucleusScatterEvents {
  /** It was opened, and wants to be shown what there is, or closed. */
  opened(open: boolean): void;
  /** The nucleus pointed at; 0 for none. */
  pointed(roi: number): void;
  choose(roi: number): void;
  /** Numbers of the nuclei in the lasso; null without one. */
  selected(rois: ReadonlySet<number> | null): void;
  save(nuclei: Nucleus[]): void;
  describe(roi: number): string;
}

const RADIUS_PX = 3;
/** All points have one colour of the scale, which is seen on white and on near black. */
const LEVEL = 30;
const NO_POINTS = { x: [], y: [] };

/** The nuclei of the masks in the plane of two measures, a point each, linked with the image. */
export class NucleusScatter {
  readonly element = textElement('div', '', 'nn-nucleus-scatter');
  readonly button: HTMLButtonElement;
  private readonly across = document.createElement('select');
  private readonly upwards = document.createElement('select');
  private readonly lasso: HTMLButtonElement;
  private readonly selection: SelectionRow;
  private readonly card: PointCard<Nucleus>;
  private readonly remark = textElement('p', '', 'nn-label');
  private readonly announcer: Announcer;
  /** None until it is opened for the first time. */
  private plot: Plot | null = null;
  private plane: Plane = { nuclei: [], points: NO_POINTS };
  private places = new Map<number, number>();
  private all: readonly Nucleus[] = [];
  private pxPerUm: number | null = null;
  private axes: Axes | null = null;
  private corners: Polygon | null = null;
  private chosen = 0;
  private inside: Nucleus[] = [];

  constructor(
    private readonly root: HTMLElement,
    private readonly events: NucleusScatterEvents,
    private readonly signal: AbortSignal,
  ) {
    this.button = disclosureButton('Scatter', 'nn-scatter-button', (open) => {
      this.element.hidden = !open;
      if (!open) this.drop();
      events.opened(open);
    }, 'M4 4v16h16M9 15h.01M12 10h.01M16 12h.01M17 6h.01');
    this.button.title = 'A plane of two measurements, a point for each nucleus';
    this.element.hidden = true;
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'Scatter of nuclei');
    for (const [select, value] of [[this.across, 'area'], [this.upwards, 'mean']] as const) {
      select.append(...MEASURES.map((measure) => new Option(nameOf(measure), measure)));
      select.value = value;
      select.addEventListener('change', () => {
        this.drop();
        this.draw();
      });
    }
    this.lasso = lassoButton('nuclei', (lassoing) => this.plot?.setLassoing(lassoing));
    this.lasso.setAttribute('aria-pressed', 'false');
    this.selection = new SelectionRow(
      () => {
        events.save(this.inside);
      },
      () => {
        this.drop();
        this.plot?.focus();
      },
    );
    this.card = new PointCard(
      { element: document.createElement('span'), show: () => undefined },
      ({ roi }) => ({ name: `ROI ${roi}`, facts: events.describe(roi).split(' · '), pictured: false }),
      signal,
    );
    this.selection.show(null, 0);
    this.announcer = new Announcer(signal);
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.corners) this.drop();
    });
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  /** Shows the nuclei of the masks as they are now; a lasso stays where it is, and holds what is in it now. */
  show(nuclei: readonly Nucleus[], pxPerUm: number | null): void {
    if (!this.isOpen || (nuclei === this.all && pxPerUm === this.pxPerUm)) return;
    // Corners of a lasso and the part that is shown are in the units of the axes.
    if (pxPerUm !== this.pxPerUm) this.drop();
    this.all = nuclei;
    this.pxPerUm = pxPerUm;
    this.draw();
  }

  /** Marks the chosen nucleus, 0 for none, and brings its point into view. */
  choose(roi: number): void {
    if (roi === this.chosen) return;
    this.chosen = roi;
    this.markChosen();
    const at = this.places.get(roi);
    const { axes, plane: { points }, plot } = this;
    if (!this.isOpen || !plot || !axes || at === undefined) return;
    const [x, y] = [points.x[at] ?? 0, points.y[at] ?? 0];
    if (x >= axes.x0 && x <= axes.x1 && y >= axes.y0 && y <= axes.y1) return;
    plot.reveal(at);
    plot.hidePointed();
  }

  /** Marks the nucleus that is pointed at in the image; 0 for none. */
  point(roi: number): void {
    if (!this.isOpen) return;
    const at = this.places.get(roi);
    this.plot?.setLifted(at === undefined ? [] : [at]);
  }

  /** Drops what belongs to these axes: the lasso, and the part that is shown. */
  drop(): void {
    this.axes = null;
    this.plot?.setAxes(null);
    this.setLassoing(false);
    if (!this.corners) return;
    this.corners = null;
    this.select();
  }

  /** Draws everything again, in the colours that the page now has. */
  refresh(): void {
    if (this.isOpen) this.plot?.refresh();
  }

  private draw(): void {
    const plot = (this.plot ??= this.build());
    const [x, y] = [this.across.value, this.upwards.value] as [MeasureName, MeasureName];
    const { all, pxPerUm } = this;
    this.plane = planeOf(all, x, y, pxPerUm);
    const { nuclei, points } = this.plane;
    this.places = new Map(nuclei.map(({ roi }, at) => [roi, at]));
    const titles = { x: titleOf(x, pxPerUm), y: titleOf(y, pxPerUm) };
    const label = `${nucleiText(nuclei.length)} by ${nameOf(x).toLowerCase()} and ${nameOf(y).toLowerCase()}`;
    const { axes } = this;
    plot.setSubject({ points, titles, label, radius: RADIUS_PX, representatives: [], centroid: null });
    plot.setAxes(axes);
    plot.setLevels(new Uint8Array(nuclei.length).fill(LEVEL), 'count');
    this.markChosen();
    this.select();
    const without = all.length - nuclei.length;
    this.remark.textContent = without === 0 ? '' : `${nucleiText(without)} ${without === 1 ? 'has' : 'have'} no confidence, and no place in the plane.`;
  }

  private build(): Plot {
    const { root, events } = this;
    const plot = new Plot(
      { points: NO_POINTS, titles: { x: '', y: '' }, label: 'Nuclei', radius: RADIUS_PX, representatives: [], centroid: null },
      () => pageStyle(root),
      {
        moved: (axes) => {
          this.axes = axes;
        },
        choose: (at) => {
          const nucleus = this.plane.nuclei[at];
          if (nucleus) events.choose(nucleus.roi);
        },
        select: (corners) => {
          this.setLassoing(false);
          if (!corners) return;
          this.corners = corners;
          this.select();
        },
        pointed: (at, place, byKeyboard) => {
          const nucleus = this.plane.nuclei[at] ?? null;
          this.card.show(nucleus, place, { width: plot.element.clientWidth, height: plot.element.clientHeight });
          events.pointed(nucleus?.roi ?? 0);
          if (nucleus && byKeyboard) this.announcer.announce(`ROI ${nucleus.roi}: ${events.describe(nucleus.roi)}`);
        },
        announce: (text) => {
          this.announcer.announce(text);
        },
      },
      this.signal,
    );
    plot.element.append(this.card.element);
    const buttons = textElement('div', '', 'nn-buttons');
    buttons.setAttribute('role', 'group');
    buttons.setAttribute('aria-label', 'Plane');
    buttons.append(
      this.lasso,
      iconButton('Zoom in on points', 'M12 5v14M5 12h14', () => { plot.zoomIn(); }),
      iconButton('Zoom out of points', 'M5 12h14', () => { plot.zoomOut(); }),
      iconButton('Show all points', 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5', () => { plot.showAll(); }),
    );
    const bar = textElement('div', '', 'nn-tools');
    bar.append(field('Across', this.across), field('Upwards', this.upwards), buttons);
    this.element.append(plot.element, bar, this.selection.element, this.remark, this.announcer.element);
    return plot;
  }

  private setLassoing(lassoing: boolean): void {
    this.lasso.setAttribute('aria-pressed', String(lassoing));
    this.plot?.setLassoing(lassoing);
  }

  private markChosen(): void {
    this.plot?.setChosen(this.places.get(this.chosen) ?? -1);
  }

  /** Shows the lasso with what is in it, here and in the image. */
  private select(): void {
    const { corners, plane, plot } = this;
    const within = plot?.setLasso(corners) ?? null;
    this.inside = within ? plane.nuclei.filter((_, at) => within[at] === 1) : [];
    this.selection.show(corners && this.selectionText(), this.inside.length);
    this.events.selected(corners && new Set(this.inside.map(({ roi }) => roi)));
  }

  private selectionText(): string {
    const { inside, plane, pxPerUm } = this;
    const count = `${grouped(inside.length)} of ${nucleiText(plane.nuclei.length)} selected.`;
    if (inside.length === 0) return count;
    const means = [this.across.value, this.upwards.value].map((value) => {
      const measure = value as MeasureName;
      const sum = inside.reduce((total, nucleus) => total + (valueOf(nucleus, measure, pxPerUm) ?? 0), 0);
      const unit = unitOf(measure, pxPerUm);
      return `${nameOf(measure).toLowerCase()} ${rounded(sum / inside.length)}${unit === '' || unit === 'grey levels' ? '' : ` ${unit}`}`;
    });
    return `${count} Means: ${means.join(', ')}.`;
  }
}

function field(name: string, select: HTMLSelectElement): HTMLElement {
  select.className = 'nn-control';
  const label = textElement('label', '', 'nn-setting');
  label.append(textElement('span', name, 'nn-label'), select);
  return label;
}
