import type { Contrast } from '../shared/contrast';
import { fetchText } from '../shared/files';
import { Problem } from '../shared/problem';
import { fetchPyramid, type Pyramid } from '../shared/pyramid';
import type { Pointed } from '../shared/readout';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { ZoomStage, type Place, type StageEvents, type View } from '../shared/zoomstage';
import { cutCell } from './cellimage';
import { Divider } from './divider';
import { greyAt, type GreyValue } from './greyvalue';
import { drawMistakes, parseMistakes, type Mistake } from './mistakes';
import { LabelOverlay, OUTLINE } from './overlay';
import type { MaskStyle } from './paint';
import { pixelOf } from './palette';
import type { Panorama } from './panoramas';
import { Ruler } from './ruler';
import type { Extent } from './savepanel';
import { stitch, TRUTH_OUTLINE } from './stitch';

/** How far the masks are: `none` where a panorama has none. */
export type MaskState = 'none' | 'loading' | 'drawn' | 'off' | 'failed';

/** How masks are drawn. */
export interface MaskLook {
  /** Null hides masks. */
  style: MaskStyle | null;
  opacity: number;
  /** The colour of each nucleus, as a pixel of an ImageData; null gives neighbours different ones. */
  colours: ((label: number) => number) | null;
  /** Whether a nucleus is dim; null dims none. */
  dim: ((label: number) => boolean) | null;
  /** Whether the truth is shown with them. */
  truth: boolean;
  /** Share of the width at which image and masks, or masks and truth, meet; null shows them over one another. */
  swipe: number | null;
}

export interface PanoramaEvents extends StageEvents {
  masks(state: MaskState): void;
  /** What the masks get wrong is known. */
  mistakes(): void;
  swipe(share: number): void;
  ruler(line: number[] | null): void;
  chosen(roi: number): void;
  /** What is known of a nucleus. */
  describe(roi: number): string;
}

/** Share of the view's width that a nucleus takes up when zoomed to. */
const NUCLEUS_SHARE = 0.25;
const WORDS = {
  all: 'Show the whole panorama',
  help: 'Arrows move, + and − zoom. Enter chooses a nucleus, N and P the next and the previous one, R measures.',
};
/** Okabe and Ito's sky blue and vermilion, as in print. */
const TRUTH_PIXEL = pixelOf('#56b4e9');
const MASK_PIXEL = pixelOf('#d55e00');
const maskColour = () => MASK_PIXEL;

/** The image of a panorama with its masks. */
export class PanoramaStage {
  readonly zoom: ZoomStage;
  readonly ruler: Ruler;
  private readonly canvas = document.createElement('canvas');
  private readonly truthCanvas = document.createElement('canvas');
  private readonly divider: Divider;
  private readonly listening = new AbortController();
  private panorama: Panorama | null = null;
  private opening = new AbortController();
  private opened: Promise<[Pyramid | null, LabelOverlay | null]> = Promise.resolve([null, null]);
  private overlay: LabelOverlay | null = null;
  private look: MaskLook = { style: 'fill', opacity: 1, colours: null, dim: null, truth: false, swipe: null };
  private state: MaskState | null = null;
  private truth: LabelOverlay | null = null;
  private truthOf: Panorama | null = null;
  private wrong: Mistake[] | null = null;
  private chosen = 0;

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    private readonly events: PanoramaEvents,
  ) {
    const ended = {
      ...events,
      escape: () => {
        if (this.ruler.out) this.ruler.putAway();
        else events.escape();
      },
    };
    const ruler = () => {
      this.ruler.toggle();
    };
    this.zoom = new ZoomStage(parent, WORDS, ended, {
      keys: { r: ruler, R: ruler },
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
        else if (this.zoom.keyboard) this.zoom.say('There is no nucleus at the middle.');
      },
      restored: () => {
        this.overlay?.restore();
        this.truth?.restore();
      },
    });
    // The thin line of a mask runs on the broad one of the truth.
    this.truthCanvas.className = 'nn-truth';
    this.canvas.className = 'nn-overlay';
    for (const canvas of [this.truthCanvas, this.canvas]) {
      this.zoom.viewer.canvas.append(canvas);
      this.zoom.restoreWhenLost(canvas);
    }
    this.ruler = new Ruler(this.zoom, (line) => {
      events.ruler(line);
    }, this.listening.signal);
    this.divider = new Divider(this.zoom.area, (share) => {
      events.swipe(share);
    });
    this.zoom.element.append(this.divider.element);
    this.zoom.bar.querySelector('.nn-buttons')?.append(this.ruler.button);
    this.zoom.bar.append(this.ruler.status);
    addEventListener(
      'online',
      () => {
        if (this.zoom.hasGaps || this.state === 'failed') this.retry();
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
    this.closeTruth();
    this.panorama = panorama;
    this.chosen = 0;
    const { name, width, height, pxPerUm } = panorama;
    const label =
      `Panorama ${name}. Arrow keys move, plus and minus zoom, zero shows all. The nucleus at the middle is ` +
      'announced; Enter chooses it, N and P go to the next and the previous nucleus, R brings out the ruler, Escape lets it go.';
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
    this.showLook();
  }

  /** What the masks of the panorama get wrong; null until that is known. */
  get mistakes(): readonly Mistake[] | null {
    return this.wrong;
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
      this.truth?.tiles.retry();
      zoom.redraw();
    } else if (panorama.labels !== null) {
      this.setMaskState('loading');
      const labels = this.openLabels(panorama, this.opening.signal);
      this.opened = Promise.all([this.opened.then(([image]) => image), labels]);
    }
  }

  /** Sets how masks are drawn. */
  setLook(look: MaskLook): void {
    this.look = look;
    this.showLook();
  }

  /** Marks the chosen nucleus, 0 marks none. */
  choose(roi: number): void {
    this.chosen = roi;
    this.overlay?.choose(roi);
    this.zoom.redraw();
  }

  /** The nucleus that the keyboard's cross is on; 0 where it is on none. */
  get atCross(): number {
    return this.zoom.keyboard ? this.labelAt(this.zoom.pixelAt(this.zoom.middle)) : 0;
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
    // By keyboard what is chosen comes to the middle, which the cross is on.
    if (!closely && !this.zoom.keyboard && inView && found.width * view.scale > 16 * devicePixelRatio) return;
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

  /** Goes to a place, and points to it. */
  goToPlace(x: number, y: number, width: number): void {
    this.zoom.goTo([x, y, width]);
    this.zoom.pointToMiddle();
  }

  /** Draws the view as a picture with its scale bar. */
  picture(contrast: Contrast, title: string, lines: string[]): Promise<Blob> {
    const drawn = document.createElement('canvas');
    drawn.width = this.canvas.width;
    drawn.height = this.canvas.height;
    const context = drawn.getContext('2d');
    const view = this.zoom.view(true);
    const { maskSpan, truthSpan } = this.spans();
    if (!context || !view) return Promise.reject(new Error('no 2D canvas'));
    for (const [canvas, [from, to]] of [[this.truthCanvas, truthSpan], [this.canvas, maskSpan]] as const) {
      const width = (to - from) * drawn.width;
      if (width > 0 && canvas.width > 0) context.drawImage(canvas, from * drawn.width, 0, width, drawn.height, from * drawn.width, 0, width, drawn.height);
    }
    this.ruler.drawInto(context, view, devicePixelRatio);
    return this.zoom.picture(contrast, [drawn], title, lines);
  }

  /** Puts a picture of the view or of the whole panorama together from its tiles, as large as wanted. */
  async largePicture({ whole, shrink }: Extent, contrast: Contrast, title: string, lines: string[]): Promise<Blob> {
    const { signal } = this.opening;
    const [intensity, overlay] = await this.opened;
    const [view, { panorama, truth, look }] = [this.zoom.view(true), this];
    if (!intensity || !view || !panorama) throw new Error('no image');
    const seen = { x: view.x, y: view.y, width: view.width / view.scale, height: view.height / view.scale };
    const { maskSpan, truthSpan } = this.spans();
    // The divider stays where it is on the screen; what is beside the view belongs to the nearer side.
    const columns = ([from, to]: readonly [number, number]) => ({
      from: from === 0 ? 0 : seen.x + from * seen.width,
      to: to === 1 ? intensity.width : seen.x + to * seen.width,
    });
    return stitch(
      {
        intensity,
        region: whole ? { x: 0, y: 0, width: intensity.width, height: intensity.height } : seen,
        level: intensity.maxLevel - Math.round(Math.log2(shrink)),
        // A view is saved with no fewer pixels than the screen has for it.
        enlarge: whole ? 1 : Math.max(1, Math.ceil(view.scale)),
        contrast,
        overlays: [
          ...(truth && look.truth ? [{ overlay: truth, ...columns(truthSpan), outline: TRUTH_OUTLINE }] : []),
          ...(overlay ? [{ overlay, ...columns(maskSpan), outline: OUTLINE }] : []),
        ],
        finish: (context, of, ratio) => {
          if (truth && look.truth) drawMistakes(context, this.wrong ?? [], of, ratio);
          this.ruler.drawInto(context, of, ratio);
        },
        pxPerUm: panorama.pxPerUm,
        title,
        lines,
      },
      signal,
    );
  }

  destroy(): void {
    this.opening.abort();
    this.listening.abort();
    this.overlay?.destroy();
    this.closeTruth();
    this.zoom.destroy();
  }

  private showLook(): void {
    const { look, panorama, overlay } = this;
    const known = look.truth && panorama?.truth !== null && panorama !== null;
    overlay?.setStyle(look.style, look.opacity);
    overlay?.setColours(look.colours ?? (known ? maskColour : null), look.dim);
    if (known && this.truthOf !== panorama) void this.openTruth(panorama);
    const { maskSpan, truthSpan } = this.spans();
    this.canvas.style.clipPath = clipOf(maskSpan);
    this.truthCanvas.style.clipPath = clipOf(truthSpan);
    this.truthCanvas.hidden = !known;
    this.divider.show(look.swipe, known ? ['masks', 'truth'] : ['image', 'masks']);
    this.zoom.redraw();
  }

  /** Between which shares of the width masks and truth are seen. */
  private spans(): { maskSpan: readonly [number, number]; truthSpan: readonly [number, number] } {
    const { swipe, truth } = this.look;
    if (swipe === null) return { maskSpan: [0, 1], truthSpan: [0, 1] };
    const known = truth && this.panorama?.truth !== null;
    return { maskSpan: known ? [0, swipe] : [swipe, 1], truthSpan: [swipe, 1] };
  }

  private async openTruth(panorama: Panorama): Promise<void> {
    this.closeTruth();
    this.truthOf = panorama;
    const { signal } = this.opening;
    const { truth, mistakes } = panorama;
    if (truth === null) return;
    const state = (words: string) => {
      this.zoom.element.dataset.truth = words;
    };
    state('loading');
    try {
      const [pyramid, text] = await Promise.all([
        fetchPyramid(truth, `The truth of ${panorama.name}`, signal),
        mistakes === null ? '' : fetchText(mistakes, `What is wrong in ${panorama.name}`, signal),
      ]);
      if (signal.aborted || this.truthOf !== panorama) return;
      const update = () => {
        this.zoom.redraw();
      };
      this.truth = new LabelOverlay(this.truthCanvas, pyramid, { changed: update, failed: update }, TRUTH_OUTLINE);
      this.truth.setStyle('outline', 1);
      this.truth.setColours(() => TRUTH_PIXEL);
      this.wrong = text === '' ? [] : parseMistakes(text);
      update();
      this.events.mistakes();
    } catch {
      if (!signal.aborted) state('failed');
    }
  }

  private closeTruth(): void {
    this.truth?.destroy();
    this.truth = null;
    this.truthOf = null;
    this.wrong = null;
    delete this.zoom.element.dataset.truth;
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
      this.showLook();
      this.overlay.choose(this.chosen);
      this.zoom.redraw();
      return this.overlay;
    } catch {
      if (!signal.aborted) this.setMaskState('failed');
      return null;
    }
  }

  private drawMasks(view: View): void {
    const { overlay, look } = this;
    this.ruler.draw(view);
    if (!overlay) return;
    const rest = this.zoom.view(false);
    if (rest) overlay.fetchFor(rest);
    overlay.draw(view);
    const { missing, settled } = overlay.tiles;
    this.setMaskState(look.style === null ? 'off' : missing ? 'failed' : settled ? 'drawn' : 'loading');
    if (look.truth && this.truth) this.drawTruth(this.truth, view, rest);
  }

  private drawTruth(truth: LabelOverlay, view: View, rest: View | null): void {
    if (rest) truth.fetchFor(rest);
    truth.draw(view);
    const context = this.truthCanvas.getContext('2d');
    if (context) drawMistakes(context, this.wrong ?? [], view, devicePixelRatio);
    const { missing, settled } = truth.tiles;
    this.zoom.element.dataset.truth = missing ? 'failed' : settled ? 'drawn' : 'loading';
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
      name: place && !zoom.keyboard && this.ruler.isAt(place) ? '' : name,
      facts,
      colour: this.colourOf(label),
      position: pixel ? `x ${grouped(pixel.x)}  y ${grouped(pixel.y)} px${this.umText(pixel)}${greyText(this.greyAt(pixel))}` : '',
      spoken: [zoom.keyboard ? this.placeText() : '', named].filter(Boolean).join(' '),
    };
  }

  private umText({ x, y }: { x: number; y: number }): string {
    const scale = this.panorama?.pxPerUm ?? null;
    return scale === null ? '' : ` · ${(x / scale).toFixed(1)}, ${(y / scale).toFixed(1)} µm`;
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
    if (state === this.state) return;
    this.state = state;
    this.events.masks(state);
  }
}

/** How an element is clipped to a part of its width. */
function clipOf([from, to]: readonly [number, number]): string {
  return from === 0 && to === 1 ? '' : `inset(0 ${(100 * (1 - to)).toFixed(3)}% 0 ${(100 * from).toFixed(3)}%)`;
}

function greyText(value: GreyValue | null): string {
  return value === null ? '' : ` · grey ${value.exact ? '' : '≈ '}${value.grey}`;
}
