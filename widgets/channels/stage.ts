import { Problem } from '../shared/problem';
import { fetchPyramid, type Pyramid } from '../shared/pyramid';
import type { Pointed } from '../shared/readout';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { ZoomStage, type Place, type StageEvents } from '../shared/zoomstage';
import { LabelOverlay } from '../panorama/overlay';
import type { MaskStyle } from '../panorama/paint';
import { Composite, type Look } from './composite';
import { labelPyramid, misfit } from './labels';
import { ZarrImage } from './zarrimage';

export interface ChannelEvents extends StageEvents {
  /** The image is known, but not shown yet: returns how it is to be shown. */
  opened(image: ZarrImage): Promise<Look>;
  /** The names of the image's own labels that fit it are known, and why others do not. */
  labelled(names: string[], refused: string[]): void;
  chosen(roi: number): void;
  /** What is known of a nucleus. */
  describe(roi: number): string;
}

/** An image to be opened: where it and its masks are, in words as well. */
export interface Wanted {
  address: string;
  where: string;
  title: string;
  masks: string | null;
  /** Whether the image may have labels of its own, where it has no `masks`. */
  labels: boolean;
  pxPerUm: number | null;
}

const WORDS = { all: 'Show the whole image', help: 'Arrows move, + and − zoom, 0 shows all. Enter chooses a nucleus.' };

/** An image of several channels, with its masks. */
export class ChannelStage {
  readonly zoom: ZoomStage;
  private readonly canvas = document.createElement('canvas');
  private wanted: Wanted | null = null;
  private opening = new AbortController();
  private composite: Composite | null = null;
  private overlay: LabelOverlay | null = null;
  /** The image's own labels that fit it, by name; which of them are shown, and in which plane. */
  private labels = new Map<string, ZarrImage>();
  private shown = '';
  private name: string | null = null;
  private z = 0;
  private masks: { style: MaskStyle | null; opacity: number } = { style: 'fill', opacity: 1 };
  private chosen = 0;
  private values = '';
  private asked = '';

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    private readonly events: ChannelEvents,
    private readonly codecs: (name: string) => Promise<string>,
  ) {
    this.zoom = new ZoomStage(parent, WORDS, events, {
      failed: () => {
        events.failed(new Problem(`The image could not be loaded from ${this.wanted?.where ?? ''}.`));
      },
      drawn: (view) => {
        const rest = this.zoom.view(false);
        if (rest) this.overlay?.fetchFor(rest);
        this.overlay?.draw(view);
        const { settled = true } = this.overlay?.tiles ?? {};
        this.canvas.dataset.masks = this.overlay === null ? 'none' : settled ? 'drawn' : 'loading';
      },
      pointed: (place) => this.describe(place),
      choose: (place) => {
        const pixel = this.zoom.pixelAt(place);
        const label = (pixel && this.overlay?.tiles.labelAt(pixel.x, pixel.y)) ?? 0;
        if (label !== 0) events.chosen(label);
      },
      restored: () => {
        this.overlay?.restore();
      },
    });
    this.canvas.className = 'nn-overlay';
    this.zoom.viewer.canvas.append(this.canvas);
    this.zoom.restoreWhenLost(this.canvas);
  }

  /** Asks for an image, and shows it in place of the one before, at a view as in the state. */
  async open(wanted: Wanted, view: number[] | null): Promise<void> {
    const { events, zoom } = this;
    this.opening.abort();
    this.opening = new AbortController();
    const { signal } = this.opening;
    this.wanted = wanted;
    this.composite = null;
    this.overlay?.destroy();
    this.overlay = null;
    this.labels = new Map();
    this.shown = '';
    this.values = this.asked = '';
    try {
      const image = await ZarrImage.open(wanted.address, wanted.where, signal, this.codecs);
      signal.throwIfAborted();
      const look = await events.opened(image);
      this.composite = new Composite(image, look);
      this.z = look.z;
      signal.throwIfAborted();
      const label = `${wanted.title}. Arrow keys move, plus and minus zoom, zero shows all.`;
      zoom.expect({ width: image.width, height: image.height, pxPerUm: wanted.pxPerUm ?? image.pxPerUm, label }, view);
      zoom.show([{ source: this.composite.source, shown: true }]);
      if (wanted.masks !== null) await this.openMasks(wanted.masks, signal);
      else if (wanted.labels) await this.findLabels(image, wanted, signal);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? `: ${error.message.split('\n')[0] ?? ''}` : '';
      events.failed(error instanceof Problem ? error : new Problem(`The image of ${wanted.where} cannot be shown${reason}.`));
    }
  }

  /** Shows channels in another way, or another plane. */
  async show(look: Look): Promise<void> {
    this.zoom.element.dataset.look = 'painting';
    this.z = look.z;
    this.showLabels(this.name);
    await this.composite?.show(look);
    const { viewer } = this.zoom;
    viewer.forceRedraw();
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it comes with the first image
    viewer.navigator?.forceRedraw();
    this.zoom.element.dataset.look = 'painted';
  }

  setMasks(style: MaskStyle | null, opacity: number): void {
    this.masks = { style, opacity };
    this.overlay?.setStyle(style, opacity);
    this.zoom.redraw();
  }

  choose(roi: number): void {
    this.chosen = roi;
    this.overlay?.choose(roi);
    this.zoom.redraw();
  }

  overview(channel: number, z: number): Promise<ArrayLike<number>> | null {
    return this.composite?.overview(channel, z) ?? null;
  }

  /** What is over the image, for a picture. */
  get over(): HTMLCanvasElement[] {
    return [this.canvas];
  }

  /** Asks again for all that could not be loaded. */
  retry(): void {
    if (this.zoom.isOpen) this.zoom.retry();
    else if (this.wanted) void this.open(this.wanted, this.zoom.firstView);
  }

  destroy(): void {
    this.opening.abort();
    this.overlay?.destroy();
    this.zoom.destroy();
  }

  /** Shows labels of the image by their name; its first ones where there are none of this name. */
  showLabels(name: string | null): void {
    this.name = name;
    const { labels, z } = this;
    const found = name !== null && labels.has(name) ? name : [...labels.keys()][0];
    const image = found === undefined ? undefined : labels.get(found);
    if (found === undefined || image === undefined) return;
    const wanted = `${image.planes > 1 ? z : 0} ${found}`;
    if (wanted === this.shown) return;
    this.shown = wanted;
    this.overlay?.destroy();
    this.lay(labelPyramid(image, z));
  }

  /** Opens all labels of an image, and keeps those that fit it. */
  private async findLabels(image: ZarrImage, wanted: Wanted, signal: AbortSignal): Promise<void> {
    const refused: string[] = [];
    const names = await image.labelNames().catch(() => {
      refused.push('The labels of this image could not be read.');
      return [];
    });
    const opened = await Promise.all(
      names.map(async (name) => {
        try {
          const labels = await image.openLabels(name);
          const reason = misfit(labels, { ...sizeOf(image), pxPerUm: wanted.pxPerUm ?? image.pxPerUm });
          if (reason !== '') throw new Problem(reason);
          labelPyramid(labels, 0);
          return { name, labels };
        } catch (error) {
          const reason = error instanceof Problem ? error.message.replace(/\.$/, '') : 'they cannot be read';
          return `The labels “${name}” are not shown: ${reason}.`;
        }
      }),
    );
    signal.throwIfAborted();
    for (const one of opened) if (typeof one === 'string') refused.push(one);
    this.labels = new Map(opened.flatMap((one) => (typeof one === 'string' ? [] : [[one.name, one.labels]])));
    this.events.labelled([...this.labels.keys()], refused);
    this.showLabels(this.name);
  }

  private async openMasks(address: string, signal: AbortSignal): Promise<void> {
    const pyramid = await fetchPyramid(address, 'The masks', signal);
    signal.throwIfAborted();
    this.lay(pyramid);
  }

  /** Lays labels over the image. */
  private lay(pyramid: Pyramid): void {
    const update = () => {
      this.zoom.viewer.forceRedraw();
    };
    this.overlay = new LabelOverlay(this.canvas, pyramid, { changed: update, failed: update });
    this.overlay.setStyle(this.masks.style, this.masks.opacity);
    this.overlay.choose(this.chosen);
    update();
  }

  private describe(place: Place | null): Pointed {
    const { zoom } = this;
    const pixel = place && zoom.pixelAt(place);
    const label = (pixel && this.overlay?.tiles.labelAt(pixel.x, pixel.y)) ?? 0;
    if (this.overlay?.mark(label) === true) zoom.redraw();
    if (pixel) this.askValues(pixel.x, pixel.y);
    const name = label === 0 ? '' : `ROI ${label}`;
    const facts = label === 0 ? '' : this.events.describe(label);
    const position = pixel ? `x ${grouped(pixel.x)}  y ${grouped(pixel.y)} px${this.values}` : '';
    const view = zoom.keyboard ? zoom.view(false) : null;
    const spoken = view ? `Middle at ${grouped(Math.round(view.x + view.width / view.scale / 2))}, ${grouped(Math.round(view.y + view.height / view.scale / 2))} px; ${this.seen(view.width / view.scale)} in view.` : '';
    return { name, facts, colour: this.overlay?.colourOf(label) ?? '', position, spoken: [spoken, name && `${[name, facts].filter(Boolean).join(', ')}.`].filter(Boolean).join(' ') };
  }

  private seen(width: number): string {
    const scale = this.zoom.size?.pxPerUm ?? null;
    return scale === null ? `${grouped(Math.round(width))} px` : lengthText(width / scale);
  }

  /** Values come from tiles at hand, but not at once. */
  private askValues(x: number, y: number): void {
    const key = `${x},${y}`;
    if (key === this.asked) return;
    this.asked = key;
    void this.composite?.values(x, y).then((values) => {
      const text = values.map(({ name, value }) => ` · ${name} ${Number(value.toPrecision(5))}`).join('');
      if (key !== this.asked || text === this.values) return;
      this.values = text;
      this.zoom.showPointed();
    });
  }
}

function sizeOf({ width, height, planes }: ZarrImage): { width: number; height: number; planes: number } {
  return { width, height, planes };
}
