import type OpenSeadragon from 'openseadragon';
import { Problem } from '../shared/problem';
import { fetchPyramid } from '../shared/pyramid';
import type { Pointed } from '../shared/readout';
import { lengthText } from '../shared/scalebar';
import { ZoomStage, type Place, type StageEvents, type View } from '../shared/zoomstage';
import { Dim } from './dim';
import { placeAt, type GridPlace, type Mosaic } from './mosaic';
import { RowLabels } from './rowlabels';

export interface MosaicEvents extends StageEvents {
  chosen(place: GridPlace): void;
  /** What is known of the cell at a place, and of its run. */
  describe(place: GridPlace): { name: string; facts: string };
}

const WORDS = {
  all: 'Show all rows',
  help: 'Arrows move, + and − zoom. Enter chooses a cell, N and P the next and the previous one.',
};
const LABEL =
  'Mosaic of cells, a run in each row. Arrow keys move, plus and minus zoom, zero shows all rows. The cell at the middle ' +
  'and its run are announced; Enter chooses it, N and P go to the next and the previous cell, Escape lets it go.';
/** CSS pixels of a cell below which it is not seen as one. */
const LEAST_CELL = 5;
/** Cells beside one another in the view when one is gone to. */
const CELLS_IN_VIEW = 7;
const DAMAGED = 'The mosaic could not be shown.';

/** What OpenSeadragon reads of its viewport, and its types leave out. */
type Fitting = OpenSeadragon.Viewport & { homeFillsViewer?: boolean; minZoomLevel?: number | null };

/** The grid of cells with its runs' names. */
export class MosaicStage {
  readonly zoom: ZoomStage;
  private readonly labels = new RowLabels();
  private readonly dim = new Dim();
  private readonly pointedFrame = frame('nn-frame nn-pointed');
  private readonly chosenFrame = frame('nn-frame');
  private readonly ending = new AbortController();
  private pointed: GridPlace | null = null;
  private chosen: GridPlace | null = null;
  private opening = new AbortController();

  constructor(
    parent: HTMLElement,
    private readonly mosaic: Mosaic,
    private normalised: boolean,
    private readonly events: MosaicEvents,
  ) {
    this.zoom = new ZoomStage(parent, WORDS, events, {
      failed: () => {
        events.failed(new Problem('The mosaic could not be loaded. Check the connection.'));
      },
      drawn: (view) => {
        this.labels.draw(mosaic, view);
        this.dim.place(mosaic, view);
        this.placeFrame(this.chosenFrame, this.chosen, view);
      },
      pointed: (place) => this.describe(place),
      choose: (place) => {
        const cell = this.cellAt(place);
        if (cell) events.chosen(cell);
      },
    });
    this.zoom.element.append(this.labels.element);
    this.zoom.viewer.canvas.append(this.dim.element, this.pointedFrame, this.chosenFrame);
    addEventListener(
      'online',
      () => {
        if (this.zoom.hasGaps) this.retry();
      },
      { signal: this.ending.signal },
    );
  }

  /** Opens the mosaic at a view as in the state. */
  open(view: number[] | null): void {
    const { cellPx, columns, rows, pxPerUm, intensity, normalised } = this.mosaic;
    this.opening.abort();
    this.opening = new AbortController();
    const { signal } = this.opening;
    this.zoom.expect({ width: columns * cellPx, height: rows.length * cellPx, pxPerUm, label: LABEL }, view);
    this.fillHeight();
    const addresses = [intensity, normalised].filter((address) => address !== null);
    Promise.all(addresses.map((address) => fetchPyramid(address, 'The mosaic', signal))).then(
      (pyramids) => {
        if (!signal.aborted) this.zoom.show(pyramids.map((source, at) => ({ source, shown: at === this.layer })));
      },
      (error: unknown) => {
        if (!signal.aborted) this.events.failed(error instanceof Problem ? error : new Problem(DAMAGED));
      },
    );
  }

  /** Asks again for all that could not be loaded. */
  retry(): void {
    if (this.zoom.isOpen) this.zoom.retry();
    else this.open(this.zoom.firstView);
  }

  /** Shows runs as measured or at equal brightness, at the same view. */
  setNormalised(normalised: boolean): void {
    if (normalised === this.normalised) return;
    this.normalised = normalised;
    this.zoom.showOnly(this.layer);
  }

  /** Marks the chosen cell; null marks none. */
  choose(place: GridPlace | null): void {
    this.chosen = place;
    this.zoom.redraw();
  }

  /** Dims all cells but those selected, which have a 1 in reading order; null dims none. */
  setSelected(inside: Uint8Array | null): void {
    this.dim.show(this.mosaic, inside);
    this.zoom.redraw();
  }

  /** Brings a cell into view; `closely` at a size at which it can be looked at. */
  goToCell({ row, column }: GridPlace, closely: boolean): void {
    const view = this.zoom.view(false);
    if (!view) return;
    const { cellPx } = this.mosaic;
    const [x, y] = [(column + 0.5) * cellPx, (row + 0.5) * cellPx];
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    const inView = Math.abs(x - view.x - width / 2) < (width - cellPx) / 2 && Math.abs(y - view.y - height / 2) < (height - cellPx) / 2;
    // By keyboard what is chosen comes to the middle, which the cross is on.
    if (!closely && !this.zoom.keyboard && inView) return;
    this.zoom.goTo([x, y, closely ? Math.min(width, CELLS_IN_VIEW * cellPx) : width]);
  }

  /** The cell that the keyboard's cross is on; null where it is on none. */
  get atCross(): GridPlace | null {
    return this.zoom.keyboard ? this.cellAt(this.zoom.middle) : null;
  }

  /** The rows in view, from and to. */
  rowsInView(): [number, number] {
    const view = this.zoom.view(true);
    const last = this.mosaic.rows.length - 1;
    if (!view) return [0, last];
    const row = (y: number) => Math.min(last, Math.max(0, Math.floor(y / this.mosaic.cellPx)));
    return [row(view.y), row(view.y + view.height / view.scale - 1)];
  }

  destroy(): void {
    this.opening.abort();
    this.ending.abort();
    this.zoom.destroy();
  }

  /** On a phone few runs are a strip too thin to see cells in: all rows are shown then, and some of their columns. */
  private fillHeight(): void {
    const viewport: Fitting = this.zoom.viewer.viewport;
    const { clientWidth, clientHeight } = this.zoom.area;
    const { columns, rows } = this.mosaic;
    const cell = clientWidth / columns;
    viewport.homeFillsViewer = cell < LEAST_CELL && 2 * rows.length * cell < clientHeight;
    // Zoomed out, all columns are in view.
    if (viewport.homeFillsViewer) viewport.minZoomLevel = 1;
  }

  private get layer(): number {
    return this.normalised && this.mosaic.normalised !== null ? 1 : 0;
  }

  private cellAt(place: Place): GridPlace | null {
    const pixel = this.zoom.pixelAt(place);
    return pixel && placeAt(this.mosaic, pixel);
  }

  /** Frames the cell at a place, and describes it. */
  private describe(place: Place | null): Pointed {
    const { zoom } = this;
    const view = zoom.view(true);
    this.pointed = place && this.cellAt(place);
    if (view) this.placeFrame(this.pointedFrame, this.pointed, view);
    const { name, facts } = this.pointed ? this.events.describe(this.pointed) : { name: '', facts: '' };
    const { pxPerUm } = this.mosaic;
    const wide = zoom.keyboard && view && pxPerUm !== null ? `${lengthText(view.width / view.scale / pxPerUm)} in view.` : '';
    const named = name === '' ? (zoom.keyboard ? 'No cell at the middle.' : '') : `${name}, ${facts}.`;
    return { name, facts, colour: '', position: '', spoken: [named, wide].filter(Boolean).join(' ') };
  }

  private placeFrame(element: HTMLElement, place: GridPlace | null, view: View): void {
    element.hidden = place === null;
    if (!place) return;
    const zoom = view.scale / devicePixelRatio;
    const side = this.mosaic.cellPx * zoom;
    const [left, top] = [place.column * side - view.x * zoom, place.row * side - view.y * zoom];
    Object.assign(element.style, { width: `${side}px`, height: `${side}px`, transform: `translate(${left}px, ${top}px)` });
  }
}

function frame(className: string): HTMLElement {
  const element = document.createElement('div');
  element.className = className;
  element.hidden = true;
  return element;
}
