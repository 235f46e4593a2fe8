import OpenSeadragon from 'openseadragon';
import { LabelOverlay } from '../panorama/overlay';
import type { MaskStyle } from '../panorama/paint';
import { maxLevel, overviewLevel, type Pyramid } from '../shared/pyramid';
import { Problem } from '../shared/problem';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { ZoomStage, type Place, type StageEvents } from '../shared/zoomstage';
import { TILE_SIDE } from './display';
import type { Engine } from './engine';
import type { Opened } from './protocol';

export interface SegmentEvents extends StageEvents {
  chosen(roi: number): void;
  /** The nucleus pointed at in the image; 0 for none. */
  pointed(roi: number): void;
  /** Sets a point of a stroke, where the tool in hand draws strokes; false elsewhere. */
  point(place: Place): boolean;
  /** The image was drawn: what is drawn over it may have to move. */
  drawn(): void;
  /** What keys do, by their names, besides moving and choosing. */
  keys: Readonly<Record<string, () => void>>;
  /** What is known of a nucleus. */
  describe(roi: number): string;
}

/** The longest time that a browser's timer has. */
const LONGEST_MS = 2 ** 31 - 1;

const WORDS = { all: 'Show the whole image', help: 'Arrows move, + and − zoom, 0 shows all. Enter chooses a nucleus.' };

/** The reader's image with its masks, both of which the worker gives tile by tile. */
export class SegmentStage {
  readonly zoom: ZoomStage;
  readonly canvas = document.createElement('canvas');
  private opened: Opened | null = null;
  private overlay: LabelOverlay | null = null;
  /** Masks that came later, until all that is in view has come. */
  private next: LabelOverlay | null = null;
  private look: { style: MaskStyle | null; opacity: number } = { style: 'fill', opacity: 0.5 };
  private chosen = 0;
  /** The nucleus pointed at outside of the image, and the one in it. */
  private pointedOutside = 0;
  private pointed = 0;
  private dim: ((roi: number) => boolean) | null = null;
  private pxPerUm: number | null = null;
  private grey = '';
  private asked = '';

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    private readonly client: Engine,
    private readonly events: SegmentEvents,
  ) {
    this.zoom = new ZoomStage(parent, WORDS, events, {
      failed: () => {
        events.failed(new Problem('The image could not be shown.'));
      },
      drawn: (view) => {
        const rest = this.zoom.view(false);
        if (rest) {
          this.overlay?.fetchFor(rest);
          this.next?.fetchFor(rest);
        }
        if (this.next?.tiles.settled === true) {
          this.overlay?.destroy();
          this.overlay = this.next;
          this.next = null;
        }
        this.overlay?.draw(view);
        events.drawn();
        this.canvas.dataset.masks = this.next ? 'loading' : this.overlay === null ? 'none' : this.overlay.tiles.settled ? 'drawn' : 'loading';
      },
      pointed: (place) => this.describe(place),
      choose: (place) => {
        if (!events.point(place)) events.chosen(this.labelAt(place));
      },
      restored: () => {
        this.overlay?.restore();
      },
      keys: events.keys,
    });
    // Tiles come from an engine that may be at work, or asleep with its tab: what takes long has not failed.
    this.zoom.viewer.imageLoader.timeout = LONGEST_MS;
    this.canvas.className = 'nn-overlay';
    this.canvas.dataset.masks = 'none';
    this.zoom.viewer.canvas.append(this.canvas);
    this.zoom.restoreWhenLost(this.canvas);
  }

  /** Shows an image that the worker has opened, in place of the one before. */
  open(opened: Opened): void {
    this.opened = opened;
    this.clearMasks();
    const { width, height, name } = opened;
    const label = `${name}. Arrow keys move, plus and minus zoom, zero shows all. Enter chooses the nucleus at the middle.`;
    this.zoom.expect({ width, height, pxPerUm: this.pxPerUm, label }, null);
    this.zoom.show([{ source: this.source(width, height), shown: true }]);
  }

  /** Sets the scale, which may become known late. */
  setScale(pxPerUm: number | null): void {
    this.pxPerUm = pxPerUm;
    if (this.zoom.size) {
      Object.assign(this.zoom.size, { pxPerUm });
      this.zoom.redraw();
    }
  }

  /** Shows masks of a version in place of those before, once they have come. */
  showMasks(version: number): void {
    const { opened, client } = this;
    if (!opened) return;
    const { width, height } = opened;
    const pyramid: Pyramid = {
      width,
      height,
      tileSize: TILE_SIDE,
      overlap: 0,
      maxLevel: maxLevel(width, height),
      tileAddress: ({ level, column, row }) => `own:${version}/${level}/${column}_${row}`,
      readLabels: ({ level, column, row }) => client.call('labels', version, level, column, row),
    };
    const update = () => {
      this.zoom.redraw();
    };
    this.next?.destroy();
    const next = new LabelOverlay(this.canvas, pyramid, {
      changed: () => {
        // Until all of them are there, those before are shown, and drawing these again would only hold them up.
        if (next === this.overlay || next.tiles.settled) update();
      },
      failed: update,
    });
    this.next = next;
    this.next.setStyle(this.look.style, this.look.opacity);
    this.next.choose(this.chosen);
    this.next.setColours(null, this.dim);
    this.canvas.dataset.masks = 'loading';
    const rest = this.zoom.view(false);
    if (rest) next.fetchFor(rest);
    else update();
  }

  clearMasks(): void {
    this.overlay?.destroy();
    this.next?.destroy();
    this.overlay = this.next = null;
    this.choose(0);
    this.zoom.viewer.forceRedraw();
  }

  setMasks(style: MaskStyle | null, opacity: number): void {
    this.look = { style, opacity };
    this.overlay?.setStyle(style, opacity);
    this.next?.setStyle(style, opacity);
    this.zoom.redraw();
  }

  choose(roi: number): void {
    this.chosen = roi;
    this.overlay?.choose(roi);
    this.next?.choose(roi);
    this.zoom.redraw();
  }

  /** Marks a nucleus that is pointed at outside of the image; 0 for none. */
  point(roi: number): void {
    this.pointedOutside = roi;
    this.zoom.redraw();
  }

  /** Leaves only some nuclei as they are, and dims the others; null dims none. */
  select(rois: ReadonlySet<number> | null): void {
    this.dim = rois && ((roi) => !rois.has(roi));
    // Of masks that are to come numbers may be others than before.
    (this.next ?? this.overlay)?.setColours(null, this.dim);
    this.zoom.redraw();
  }

  colourOf(roi: number): string {
    return this.overlay?.colourOf(roi) ?? '';
  }

  /** The label at a place; 0 where there is none. */
  labelAt(place: Place): number {
    const pixel = this.zoom.pixelAt(place);
    return (pixel && this.overlay?.tiles.labelAt(pixel.x, pixel.y)) ?? 0;
  }

  /** What is in view, in px of the image: left, top, width and height. */
  get box(): [number, number, number, number] {
    const view = this.zoom.view(true);
    return view ? [view.x, view.y, view.width / view.scale, view.height / view.scale] : [0, 0, 0, 0];
  }

  /** The middle of what is in view, in px of the image. */
  get middle(): [number, number] {
    const view = this.zoom.view(true);
    return view ? [view.x + view.width / view.scale / 2, view.y + view.height / view.scale / 2] : [0, 0];
  }

  retry(): void {
    this.zoom.retry();
  }

  destroy(): void {
    this.overlay?.destroy();
    this.next?.destroy();
    this.zoom.destroy();
  }

  private source(width: number, height: number): OpenSeadragon.TileSource {
    const pyramid = { width, height, tileSize: TILE_SIDE, maxLevel: maxLevel(width, height) } as Pyramid;
    const source = new OpenSeadragon.TileSource({ width, height, tileSize: TILE_SIDE, tileOverlap: 0, minLevel: overviewLevel(pyramid), maxLevel: pyramid.maxLevel });
    const opened = this.opened;
    source.getTileUrl = (level, column, row) => `own/${level}/${column}/${row}/${opened?.name ?? ''}`;
    source.downloadTileStart = (job) => {
      const [level = 0, column = 0, row = 0] = job.src.split('/').slice(1, 4).map(Number);
      this.client.call('tile', level, column, row).then(
        (tile) => {
          job.finish(painted(tile), null, 'context2d');
        },
        (error: unknown) => {
          job.fail(String(error), null);
        },
      );
    };
    source.downloadTileAbort = () => undefined;
    return source;
  }

  private describe(place: Place | null): { name: string; facts: string; colour: string; position: string; spoken: string } {
    const { zoom } = this;
    const pixel = place && zoom.pixelAt(place);
    const label = place ? this.labelAt(place) : 0;
    const marked = label === 0 ? this.pointedOutside : label;
    if (this.overlay?.mark(marked) === true) zoom.redraw();
    if (label !== this.pointed) {
      this.pointed = label;
      this.events.pointed(label);
    }
    if (pixel) this.askGrey(pixel.x, pixel.y);
    const name = label === 0 ? '' : `ROI ${label}`;
    const facts = label === 0 ? '' : this.events.describe(label);
    const position = pixel ? `x ${grouped(pixel.x)}  y ${grouped(pixel.y)} px${this.grey}` : '';
    const view = zoom.keyboard ? zoom.view(false) : null;
    const seen = view ? view.width / view.scale : 0;
    const wide = this.pxPerUm === null ? `${grouped(Math.round(seen))} px` : lengthText(seen / this.pxPerUm);
    const spoken = pixel && view ? `Middle at ${grouped(pixel.x)}, ${grouped(pixel.y)} px; ${wide} in view. ${name === '' ? '' : `${name}, ${facts}.`}` : '';
    return { name, facts, colour: label === 0 ? '' : this.colourOf(label), position, spoken };
  }

  /** Grey levels come from the worker, and not at once. */
  private askGrey(x: number, y: number): void {
    const key = `${x},${y}`;
    if (key === this.asked) return;
    this.asked = key;
    this.client.call('grey', x, y).then(
      (value) => {
        if (key !== this.asked) return;
        this.grey = ` · ${Number(value.toPrecision(6))}`;
        this.zoom.showPointed();
      },
      () => undefined,
    );
  }
}

function painted({ width, height, data }: { width: number; height: number; data: Uint8Array }): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2D canvas');
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let at = 0; at < pixels.length; at++) pixels[at] = 0xff000000 | ((data[at] ?? 0) * 0x010101);
  context.putImageData(image, 0, 0);
  return context;
}
