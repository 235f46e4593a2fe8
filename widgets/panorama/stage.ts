import type { Contrast } from '../shared/contrast';
import { Problem } from '../shared/problem';
import { fetchPyramid, type Pyramid } from '../shared/pyramid';
import type { Pointed } from '../shared/readout';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { ZoomStage, type Place, type StageEvents, type View } from '../shared/zoomstage';
import { cutCell } from './cellimage';
import { greyAt, type GreyValue } from './greyvalue';
import { LabelOverlay } from './overlay';
import type { MaskStyle } from './paint';
import type { Panorama } from './panoramas';

/** How far the masks are: `none` where a panorama has none. */
export type MaskState = 'none' | 'loading' | 'drawn' | 'off' | 'failed';

export interface PanoramaEvents extends StageEvents {
  masks(state: MaskState): void;
  chosen(roi: number): void;
  /** What is known of a nucleus. */
  describe(roi: number): string;
}

/** Share of the view's width that a nucleus takes up when zoomed to. */
const NUCLEUS_SHARE = 0.25;
const WORDS = {
  all: 'Show the whole panorama',
  help: 'Arrows move, + and − zoom. Enter chooses a nucleus, N and P the next and the previous one.',
};

/** The image of a panorama with its masks. */
export class PanoramaStage {
  readonly zoom: ZoomStage;
  private readonly canvas = document.createElement('canvas');
  private readonly listening = new AbortController();
  private panorama: Panorama | null = null;
  private opening = new AbortController();
  private opened: Promise<[Pyramid | null, LabelOverlay | null]> = Promise.resolve([null, null]);
  private overlay: LabelOverlay | null = null;
  private masks: { style: MaskStyle | null; opacity: number; state: MaskState | null } = { style: 'fill', opacity: 1, state: null };
  private chosen = 0;

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    private readonly events: PanoramaEvents,
  ) {
    this.zoom = new ZoomStage(parent, WORDS, events, {
      failed: () => {
        if (this.panorama) events.failed(new Problem(`The image of ${this.panorama.name} could not be loaded.`));
      },
      drawn: (view) => {
        this.drawMasks(view);
      },
      pointed: (place) => this.describe(place),
      choose: (place) => {
        const label = this.labelAt(this.zoom.pixelAt(place));
        if (label !== 0) events.chosen(label);
      },
      restored: () => {
        this.overlay?.restore();
      },
    });
    this.canvas.className = 'nn-overlay';
    this.zoom.viewer.canvas.append(this.canvas);
    this.zoom.restoreWhenLost(this.canvas);
    addEventListener(
      'online',
      () => {
        if (this.zoom.hasGaps || this.masks.state === 'failed') this.retry();
      },
      { signal: this.listening.signal },
    );
  }

  /** Opens a panorama in place of the one shown, at a view as in the state, which with `slowly` is zoomed to. */
  open(panorama: Panorama, view: number[] | null, slowly = false): void {
    this.opening.abort();
    this.opening = new AbortController();
    const { signal } = this.opening;
    this.overlay?.destroy();
    this.overlay = null;
    this.panorama = panorama;
    this.chosen = 0;
    const { name, width, height, pxPerUm } = panorama;
    const label =
      `Panorama ${name}. Arrow keys move, plus and minus zoom, zero shows all. The nucleus at the middle is ` +
      'announced; Enter chooses it, N and P go to the next and the previous nucleus, Escape lets it go.';
    this.zoom.expect({ width, height, pxPerUm, label }, view, slowly);
    this.setMaskState(panorama.labels === null ? 'none' : 'loading');
    const problem = (error: unknown) =>
      error instanceof Problem ? error : new Problem(`The image of ${panorama.name} could not be shown.`);
    const image = this.openImage(panorama, signal).catch((error: unknown) => {
      if (!signal.aborted) this.events.failed(problem(error));
      return null;
    });
    const labels = this.openLabels(panorama, signal);
    this.opened = Promise.all([image, labels]);
  }

  /** Asks again for all that could not be loaded. */
  retry(): void {
    const { panorama, zoom } = this;
    if (!panorama) return;
    if (!zoom.isOpen) {
      this.open(panorama, zoom.firstView);
      return;
    }
    zoom.retry();
    if (this.overlay) {
      this.overlay.tiles.retry();
      zoom.redraw();
    } else if (panorama.labels !== null) {
      this.setMaskState('loading');
      const labels = this.openLabels(panorama, this.opening.signal);
      this.opened = Promise.all([this.opened.then(([image]) => image), labels]);
    }
  }

  /** Sets how masks are drawn; null hides them. */
  setMasks(style: MaskStyle | null, opacity: number): void {
    this.masks.style = style;
    this.masks.opacity = opacity;
    this.overlay?.setStyle(style, opacity);
    this.zoom.redraw();
  }

  /** Marks the chosen nucleus, 0 marks none. */
  choose(roi: number): void {
    this.chosen = roi;
    this.overlay?.choose(roi);
    this.zoom.redraw();
  }

  colourOf(roi: number): string {
    return this.overlay?.colourOf(roi) ?? 'transparent';
  }

  /** Brings a nucleus into view; `closely` at a size at which it can be looked at. */
  async goToNucleus(roi: number, place: { x: number; y: number; width: number } | null, closely: boolean): Promise<void> {
    const { signal } = this.opening;
    await this.opened;
    const { panorama } = this;
    const found = place ?? this.overlay?.placeOf(roi) ?? null;
    const view = this.zoom.view(false);
    if (!found || !panorama || !view || signal.aborted) return;
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    const inView =
      Math.abs(found.x - view.x - width / 2) < width * 0.45 && Math.abs(found.y - view.y - height / 2) < height * 0.45;
    if (!closely && inView && found.width * view.scale > 16 * devicePixelRatio) return;
    const close = Math.max(found.width, 40) / NUCLEUS_SHARE;
    this.zoom.goTo([found.x, found.y, closely ? close : Math.min(width, 3 * close)]);
  }

  /** Cuts a nucleus out at full resolution; null where the panorama has no masks. */
  async cell(roi: number, place: { x: number; y: number } | null, signal: AbortSignal): Promise<HTMLCanvasElement | null> {
    const [image, overlay] = await this.opened;
    if (!image || !overlay) return null;
    if (!place) await overlay.surveyed;
    const centre = place ?? overlay.placeOf(roi);
    if (!centre) return null;
    const cell = await cutCell(image, overlay.tiles, roi, centre, signal);
    this.zoom.alsoFilter(cell);
    return cell;
  }

  /** Draws the view as a picture with its scale bar. */
  picture(contrast: Contrast, title: string, lines: string[]): Promise<Blob> {
    return this.zoom.picture(contrast, [this.canvas], title, lines);
  }

  destroy(): void {
    this.opening.abort();
    this.listening.abort();
    this.overlay?.destroy();
    this.zoom.destroy();
  }

  private async openImage(panorama: Panorama, signal: AbortSignal): Promise<Pyramid | null> {
    const pyramid = panorama.preview
      ? null
      : await fetchPyramid(panorama.intensity, `The image of ${panorama.name}`, signal);
    if (!signal.aborted) this.zoom.show([{ source: pyramid ?? { picture: panorama.intensity }, shown: true }]);
    return pyramid;
  }

  private async openLabels(panorama: Panorama, signal: AbortSignal): Promise<LabelOverlay | null> {
    if (panorama.labels === null) return null;
    try {
      const pyramid = await fetchPyramid(panorama.labels, `The masks of ${panorama.name}`, signal);
      if (signal.aborted) return null;
      const update = () => {
        this.zoom.redraw();
      };
      this.overlay = new LabelOverlay(this.canvas, pyramid, { changed: update, failed: update });
      this.overlay.setStyle(this.masks.style, this.masks.opacity);
      this.overlay.choose(this.chosen);
      this.zoom.redraw();
      return this.overlay;
    } catch {
      if (!signal.aborted) this.setMaskState('failed');
      return null;
    }
  }

  private drawMasks(view: View): void {
    const { overlay } = this;
    if (!overlay) return;
    const rest = this.zoom.view(false);
    if (rest) overlay.fetchFor(rest);
    overlay.draw(view);
    const { missing, settled } = overlay.tiles;
    this.setMaskState(this.masks.style === null ? 'off' : missing ? 'failed' : settled ? 'drawn' : 'loading');
  }

  private labelAt(pixel: { x: number; y: number } | null): number {
    return (pixel && this.overlay?.tiles.labelAt(pixel.x, pixel.y)) ?? 0;
  }

  /** Marks the nucleus at a place, and describes it. */
  private describe(place: Place | null): Pointed {
    const { zoom } = this;
    const pixel = place && zoom.pixelAt(place);
    const label = this.labelAt(pixel);
    if (this.overlay?.mark(label)) zoom.redraw();
    const name = label === 0 ? '' : `ROI ${label}`;
    const facts = label === 0 ? '' : this.events.describe(label);
    const named = name === '' ? '' : `${name}${facts === '' ? '' : `, ${facts}`}.`;
    return {
      name,
      facts,
      colour: this.colourOf(label),
      position: pixel ? `x ${grouped(pixel.x)}  y ${grouped(pixel.y)} px${greyText(this.greyAt(pixel))}` : '',
      spoken: [zoom.keyboard ? this.placeText() : '', named].filter(Boolean).join(' '),
    };
  }

  private greyAt(pixel: { x: number; y: number }): GreyValue | null {
    const { panorama, zoom } = this;
    const [view, rest] = [zoom.view(true), zoom.view(false)];
    if (!panorama || !view || !rest) return null;
    // Reading a pixel takes time that movement needs.
    const moving = Math.abs(rest.x - view.x) + Math.abs(rest.y - view.y) > 0.5 || Math.abs(rest.scale / view.scale - 1) > 0.01;
    const grey = moving ? null : greyAt(zoom.viewer, pixel.x, pixel.y, zoom.size?.width ?? 0);
    return grey && { ...grey, exact: grey.exact && !panorama.preview };
  }

  /** Where the view is, for those who cannot see it. */
  private placeText(): string {
    const { panorama } = this;
    const view = this.zoom.view(false);
    if (!view || !panorama) return '';
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    const [x, y] = [Math.round(view.x + width / 2), Math.round(view.y + height / 2)];
    const seen = panorama.pxPerUm === null ? `${grouped(Math.round(width))} px` : lengthText(width / panorama.pxPerUm);
    return `Middle at ${grouped(x)}, ${grouped(y)} px; ${seen} in view.`;
  }

  private setMaskState(state: MaskState): void {
    if (state === this.masks.state) return;
    this.masks.state = state;
    this.events.masks(state);
  }
}

function greyText(value: GreyValue | null): string {
  return value === null ? '' : ` · grey ${value.exact ? '' : '≈ '}${value.grey}`;
}
