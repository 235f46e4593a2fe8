import OpenSeadragon from 'openseadragon';
import type { Contrast } from '../shared/contrast';
import { ContrastFilter } from '../shared/contrastfilter';
import { fetchText } from '../shared/files';
import { countLevels } from '../shared/histogram';
import { Problem } from '../shared/problem';
import { lengthText, ScaleBar } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { cutCell } from './cellimage';
import { greyAt } from './greyvalue';
import { createViewer, KEYS_OF_OPENSEADRAGON, MissingTiles, onFocus } from './osd';
import { LabelOverlay, type View } from './overlay';
import type { MaskStyle } from './paint';
import type { Panorama } from './panoramas';
import { viewPicture } from './picture';
import { parseDescriptor, type Pyramid } from './pyramid';
import { Readout, type Pointed } from './readout';
import { tileSource } from './source';
import { viewButtons } from './viewbuttons';

/** How far the masks are: `none` where a panorama has none. */
export type MaskState = 'none' | 'loading' | 'drawn' | 'off' | 'failed';

export interface StageEvents {
  /** The first tile of the image is on the screen. */
  ready(): void;
  /** The image cannot be shown at all. */
  imageFailed(problem: Problem): void;
  /** Whether tiles of the image are missing now, or a canvas is lost. */
  gaps(some: boolean): void;
  masks(state: MaskState): void;
  /** Movement has come to rest, or what is in view has changed: `view` as in the state. */
  rested(view: number[] | null): void;
  chosen(roi: number): void;
  /** From the keyboard: the nucleus that comes `step` after the chosen one, or none at all. */
  step(step: 1 | -1): void;
  escape(): void;
  save(): void;
  /** What is known of a nucleus. */
  describe(roi: number): string;
}

const ZOOM_STEP = 1.6;
/** CSS pixels an image pixel from which on image pixels are drawn as squares. */
const SQUARE_ZOOM = 3;
/** Share of the view's width that a nucleus takes up when zoomed to. */
const NUCLEUS_SHARE = 0.25;
const REST_MS = 150;

/** The image of a panorama with its masks, minimap, scale bar and buttons. */
export class Stage {
  readonly element = document.createElement('div');
  private readonly area = document.createElement('div');
  private readonly canvas = document.createElement('canvas');
  private readonly scaleBar = new ScaleBar();
  private readonly readout = new Readout();
  private readonly viewer: OpenSeadragon.Viewer;
  private readonly filter: ContrastFilter;
  private readonly missing: MissingTiles;
  private readonly listening = new AbortController();
  private panorama: Panorama | null = null;
  private opening = new AbortController();
  private opened: Promise<[Pyramid | null, LabelOverlay | null]> = Promise.resolve([null, null]);
  private overlay: LabelOverlay | null = null;
  private masks: { style: MaskStyle | null; opacity: number; state: MaskState | null } = { style: 'fill', opacity: 1, state: null };
  private chosen = 0;
  private cellImage: HTMLElement | null = null;
  private pointer: { x: number; y: number } | null = null;
  private keyboard = false;
  private smooth = true;
  private drawn = false;
  private lost = false;
  private frame = 0;
  private resting: ReturnType<typeof setTimeout> | undefined;
  private shownSize = '';
  private showsAll = true;
  private firstView: number[] | null = null;

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    private readonly events: StageEvents,
    fullScreen: (() => void) | null,
  ) {
    this.element.className = 'nn-stage';
    this.area.className = 'nn-area';
    this.canvas.className = 'nn-overlay';
    const minimap = box('nn-minimap');
    const cross = box('nn-cross');
    const help = box('nn-help');
    help.textContent = 'Arrows move, + and − zoom. Enter chooses a nucleus, N and P the next and the previous one.';
    const buttons = viewButtons({
      zoomIn: () => {
        this.zoom(ZOOM_STEP);
      },
      zoomOut: () => {
        this.zoom(1 / ZOOM_STEP);
      },
      showAll: () => {
        this.viewer.viewport.goHome();
      },
      save: () => {
        events.save();
      },
      fullScreen,
    });
    const { readout, scaleBar } = this;
    this.element.append(this.area, cross, readout.position, scaleBar.element, minimap, help, buttons, readout.element, readout.status);
    parent.append(this.element);
    this.viewer = createViewer(this.area, minimap);
    this.filter = new ContrastFilter(() => [...canvasesOf(this.viewer), ...(this.cellImage ? [this.cellImage] : [])]);
    this.element.append(this.filter.element);
    this.missing = new MissingTiles(this.viewer, () => {
      this.tellGaps();
    });
    onFocus(this.viewer.canvas, (focused) => {
      this.setKeyboard(focused);
    });
    this.viewer.canvas.append(this.canvas);
    this.followViewer();
    this.followPointer();
    this.followLosses();
  }

  /** Opens a panorama in place of the one shown, at a view as in the state. */
  open(panorama: Panorama, view: number[] | null): void {
    this.opening.abort();
    this.opening = new AbortController();
    const { signal } = this.opening;
    this.overlay?.destroy();
    this.overlay = null;
    this.viewer.close();
    this.missing.forget();
    this.panorama = panorama;
    this.firstView = view;
    this.chosen = 0;
    this.drawn = false;
    this.readout.show(null, { x: 0, y: 0 }, 0, '');
    this.viewer.canvas.setAttribute(
      'aria-label',
      `Panorama ${panorama.name}. Arrow keys move, plus and minus zoom, zero shows all. The nucleus at the middle is ` +
        'told; Enter chooses it, N and P go to the next and the previous nucleus, Escape lets it go.',
    );
    this.setMaskState(panorama.labels === null ? 'none' : 'loading');
    const problem = (error: unknown) =>
      error instanceof Problem ? error : new Problem(`The image of ${panorama.name} could not be shown.`);
    const image = this.openImage(panorama, signal).catch((error: unknown) => {
      if (!signal.aborted) this.events.imageFailed(problem(error));
      return null;
    });
    const labels = this.openLabels(panorama, signal);
    this.opened = Promise.all([image, labels]);
  }

  /** Asks again for all that could not be had. */
  retry(): void {
    const { panorama, viewer } = this;
    if (!panorama) return;
    if (!viewer.isOpen() || !this.drawn) {
      this.open(panorama, this.firstView);
      return;
    }
    this.missing.retry();
    if (this.overlay) {
      this.overlay.tiles.retry();
      this.redraw();
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
    this.overlay?.setLook(style, opacity);
    this.redraw();
  }

  setContrast(contrast: Contrast): void {
    this.filter.show(contrast);
  }

  /** How often each grey level is in view. */
  levels(): Uint32Array {
    return countLevels(this.viewer.drawer.canvas);
  }

  /** Marks the chosen nucleus, 0 marks none. */
  choose(roi: number): void {
    this.chosen = roi;
    this.overlay?.choose(roi);
    this.redraw();
  }

  colourOf(roi: number): string {
    return this.overlay?.colourOf(roi) ?? 'transparent';
  }

  /** Goes to a view as in the state. */
  goTo(view: number[] | null, immediately = false): void {
    const { viewport } = this.viewer;
    const [x, y, width] = view ?? [];
    this.firstView = view;
    if (!this.panorama || !this.viewer.isOpen()) return;
    if (x === undefined || y === undefined || width === undefined) {
      viewport.goHome(immediately);
      return;
    }
    const full = this.panorama.width;
    viewport.zoomTo(full / width, undefined, immediately);
    viewport.panTo(new OpenSeadragon.Point(x / full, y / full), immediately);
    viewport.applyConstraints(immediately);
  }

  /** Brings a nucleus into view; `closely` at a size at which it can be looked at. */
  async goToNucleus(roi: number, place: { x: number; y: number; width: number } | null, closely: boolean): Promise<void> {
    const { signal } = this.opening;
    await this.opened;
    const { panorama } = this;
    const found = place ?? this.overlay?.placeOf(roi) ?? null;
    const view = this.view(false);
    if (!found || !panorama || !view || signal.aborted) return;
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    const inView =
      Math.abs(found.x - view.x - width / 2) < width * 0.45 && Math.abs(found.y - view.y - height / 2) < height * 0.45;
    if (!closely && inView && found.width * view.scale > 16 * devicePixelRatio) return;
    const close = Math.max(found.width, 40) / NUCLEUS_SHARE;
    this.goTo([found.x, found.y, closely ? close : Math.min(width, 3 * close)]);
  }

  /** Cuts a nucleus out at full resolution; null where the panorama has no masks. */
  async cell(roi: number, place: { x: number; y: number } | null, signal: AbortSignal): Promise<HTMLCanvasElement | null> {
    const [image, overlay] = await this.opened;
    if (!image || !overlay) return null;
    if (!place) await overlay.surveyed;
    const centre = place ?? overlay.placeOf(roi);
    if (!centre) return null;
    const cell = await cutCell(image, overlay.tiles, roi, centre, signal);
    this.cellImage = cell;
    this.filter.apply();
    return cell;
  }

  /** Draws the view as a picture with its scale bar. */
  picture(contrast: Contrast, title: string, lines: string[]): Promise<Blob> {
    const view = this.view(true);
    const { pxPerUm = null } = this.panorama ?? {};
    return viewPicture({
      image: this.viewer.drawer.canvas,
      masks: this.canvas,
      contrast,
      pixelsPerMicrometre: pxPerUm === null || !view ? null : pxPerUm * view.scale,
      ratio: devicePixelRatio,
      title,
      lines,
    });
  }

  /** In full screen there is no page to scroll: the wheel and one finger belong to the image. */
  setFullScreen(full: boolean): void {
    this.viewer.setCooperativeGestures(!full);
  }

  /** Tells again what is pointed at, after more became known. */
  refresh(): void {
    this.tell();
  }

  focus(): void {
    this.viewer.canvas.focus();
  }

  destroy(): void {
    this.opening.abort();
    this.listening.abort();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    this.readout.destroy();
    this.overlay?.destroy();
    this.viewer.destroy();
  }

  private followViewer(): void {
    const { viewer } = this;
    viewer.addHandler('open', () => {
      const size = viewer.world.getItemAt(0).getContentSize();
      if (this.panorama?.width === 0) this.panorama = { ...this.panorama, width: size.x, height: size.y };
      this.filter.apply();
      if (this.firstView) this.goTo(this.firstView, true);
      this.showsAll = this.firstView === null;
    });
    viewer.addHandler('update-viewport', () => {
      this.follow();
    });
    viewer.addHandler('open-failed', () => {
      if (this.panorama) this.events.imageFailed(new Problem(`The image of ${this.panorama.name} could not be loaded.`));
    });
    viewer.addHandler('tile-drawn', () => {
      if (this.drawn) return;
      this.drawn = true;
      this.events.ready();
    });
    viewer.addHandler('canvas-key', (event) => {
      const { code } = event.originalEvent;
      if (KEYS_OF_OPENSEADRAGON.has(code)) event.preventDefaultAction = true;
      else this.setKeyboard(true);
    });
    viewer.addHandler('canvas-click', ({ quick, position }) => {
      if (!quick) return;
      this.pointTo({ x: position.x, y: position.y });
      this.chooseAt({ x: position.x, y: position.y });
    });
    viewer.canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const act = {
        Enter: () => {
          this.chooseAt(this.middle());
        },
        n: () => {
          this.events.step(1);
        },
        p: () => {
          this.events.step(-1);
        },
        Escape: () => {
          this.events.escape();
        },
      }[event.key];
      if (!act) return;
      event.preventDefault();
      this.setKeyboard(true);
      act();
    });
  }

  private followPointer(): void {
    const { signal } = this.listening;
    this.area.addEventListener(
      'pointermove',
      ({ pointerType, clientX, clientY }) => {
        if (pointerType === 'touch') return;
        if (this.keyboard) this.setKeyboard(false);
        const { left, top } = this.area.getBoundingClientRect();
        this.pointTo({ x: clientX - left, y: clientY - top });
      },
      { signal },
    );
    this.area.addEventListener(
      'pointerleave',
      ({ pointerType }) => {
        if (pointerType !== 'touch') this.pointTo(null);
      },
      { signal },
    );
  }

  /** A browser may take a canvas's memory away; once it is back, all is drawn again. */
  private followLosses(): void {
    const { signal } = this.listening;
    for (const canvas of [this.viewer.drawer.canvas, this.canvas]) {
      canvas.addEventListener(
        'contextlost',
        () => {
          this.lost = true;
          this.tellGaps();
        },
        { signal },
      );
      canvas.addEventListener(
        'contextrestored',
        () => {
          this.lost = false;
          this.tellGaps();
          this.overlay?.restore();
          this.viewer.forceRedraw();
          this.redraw();
        },
        { signal },
      );
    }
    addEventListener(
      'online',
      () => {
        if (this.missing.some || this.masks.state === 'failed') this.retry();
      },
      { signal },
    );
  }

  private async openImage(panorama: Panorama, signal: AbortSignal): Promise<Pyramid | null> {
    const pyramid = panorama.preview
      ? null
      : await fetchPyramid(panorama.intensity, `The image of ${panorama.name}`, signal);
    const source = pyramid ? tileSource(pyramid) : { type: 'image', url: panorama.intensity };
    if (!signal.aborted) this.viewer.open({ tileSource: source as never });
    return pyramid;
  }

  private async openLabels(panorama: Panorama, signal: AbortSignal): Promise<LabelOverlay | null> {
    if (panorama.labels === null) return null;
    try {
      const pyramid = await fetchPyramid(panorama.labels, `The masks of ${panorama.name}`, signal);
      if (signal.aborted) return null;
      const update = () => {
        this.redraw();
      };
      this.overlay = new LabelOverlay(this.canvas, pyramid, { changed: update, failed: update });
      this.overlay.setLook(this.masks.style, this.masks.opacity);
      this.overlay.choose(this.chosen);
      this.redraw();
      return this.overlay;
    } catch {
      if (!signal.aborted) this.setMaskState('failed');
      return null;
    }
  }

  /** Draws everything that goes with the image, in the frame in which OpenSeadragon has drawn it. */
  private follow(): void {
    const { overlay, panorama } = this;
    const view = this.view(true);
    if (!view || !panorama) return;
    this.keepAll(view);
    const zoom = view.scale / devicePixelRatio;
    this.scaleBar.update(panorama.pxPerUm === null ? null : panorama.pxPerUm * zoom, this.area.clientWidth);
    const smooth = zoom < SQUARE_ZOOM;
    if (smooth !== this.smooth) {
      this.smooth = smooth;
      this.viewer.drawer.setImageSmoothingEnabled(smooth);
    }
    if (overlay) {
      const rest = this.view(false);
      if (rest) overlay.fetchFor(rest);
      overlay.draw(view);
      const { missing, settled } = overlay.tiles;
      this.setMaskState(this.masks.style === null ? 'off' : missing ? 'failed' : settled ? 'drawn' : 'loading');
    }
    if (this.keyboard) this.pointer = this.middle();
    this.tell();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.tell();
      if (this.viewer.isOpen()) this.events.rested(this.stateOfView());
    }, REST_MS);
  }

  /** Shows the whole panorama after a change of size too, if it was shown before. */
  private keepAll({ width, height }: View): void {
    const { viewport } = this.viewer;
    const size = `${width} ${height}`;
    if (this.shownSize !== '' && size !== this.shownSize && this.showsAll) viewport.goHome(true);
    this.shownSize = size;
    const [here, home] = [viewport.getBounds(false), viewport.getHomeBounds()];
    const away = Math.hypot(here.x - home.x, here.y - home.y) / home.width;
    this.showsAll = Math.abs(here.width / home.width - 1) < 0.001 && away < 0.001;
  }

  /** The view at rest, as the state has it: to a tenth of a pixel. */
  private stateOfView(): number[] | null {
    const view = this.view(false);
    if (!view || this.showsAll) return null;
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    return [view.x + width / 2, view.y + height / 2, width].map((value) => Math.round(10 * value) / 10);
  }

  /** Draws the masks in the next frame, when the image itself may have no reason to be drawn. */
  private redraw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.follow();
    });
  }

  /** What is in view: now, or once the present movement has come to rest. */
  private view(now: boolean): View | null {
    const { panorama, viewer } = this;
    if (!panorama || panorama.width === 0 || !viewer.isOpen()) return null;
    const bounds = viewer.viewport.getBounds(now);
    const size = viewer.viewport.getContainerSize();
    const ratio = devicePixelRatio;
    // In OpenSeadragon's own measure the image is 1 wide.
    return {
      x: bounds.x * panorama.width,
      y: bounds.y * panorama.width,
      scale: (size.x * ratio) / (bounds.width * panorama.width),
      width: Math.round(size.x * ratio),
      height: Math.round(size.y * ratio),
    };
  }

  /** With the keyboard, the nucleus at the middle is the one pointed at, and a cross shows where that is. */
  private setKeyboard(keyboard: boolean): void {
    const changed = keyboard !== this.keyboard;
    this.keyboard = keyboard;
    this.element.classList.toggle('nn-by-keyboard', keyboard);
    if (changed) this.pointTo(keyboard ? this.middle() : null);
  }

  private middle(): { x: number; y: number } {
    return { x: this.area.clientWidth / 2, y: this.area.clientHeight / 2 };
  }

  private pointTo(place: { x: number; y: number } | null): void {
    this.pointer = place;
    this.tell();
  }

  private chooseAt(place: { x: number; y: number }): void {
    const pointed = this.pointedAt(place);
    if (pointed && pointed.label !== 0) this.events.chosen(pointed.label);
  }

  /** Finds what is pointed at, marks the nucleus there and tells of it. */
  private tell(): void {
    const { overlay, pointer } = this;
    const pointed = pointer && this.pointedAt(pointer);
    this.readout.show(pointed, pointer ?? { x: 0, y: 0 }, this.area.clientWidth, this.keyboard ? this.placeText() : '');
    if (overlay?.mark(pointed?.label ?? 0)) this.redraw();
  }

  private pointedAt(place: { x: number; y: number }): Pointed | null {
    const { overlay, panorama, viewer } = this;
    const view = this.view(true);
    if (!view || !panorama) return null;
    const zoom = view.scale / devicePixelRatio;
    const pixel = { x: Math.floor(view.x + place.x / zoom), y: Math.floor(view.y + place.y / zoom) };
    if (pixel.x < 0 || pixel.y < 0 || pixel.x >= panorama.width || pixel.y >= panorama.height) return null;
    const label = overlay?.tiles.labelAt(pixel.x, pixel.y) ?? 0;
    // Reading a pixel takes time that movement needs.
    const rest = this.view(false);
    const moving = !rest || Math.abs(rest.x - view.x) + Math.abs(rest.y - view.y) > 0.5 || Math.abs(rest.scale / view.scale - 1) > 0.01;
    const grey = moving ? null : greyAt(viewer, pixel.x, pixel.y, panorama.width);
    return {
      pixel,
      grey: grey && { ...grey, exact: grey.exact && !panorama.preview },
      label,
      colour: this.colourOf(label),
      facts: label === 0 ? '' : this.events.describe(label),
    };
  }

  /** Where the view is, for those who cannot see it. */
  private placeText(): string {
    const { panorama } = this;
    const view = this.view(false);
    if (!view || !panorama) return '';
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    const [x, y] = [Math.round(view.x + width / 2), Math.round(view.y + height / 2)];
    const seen = panorama.pxPerUm === null ? `${grouped(Math.round(width))} px` : lengthText(width / panorama.pxPerUm);
    return `Middle at ${grouped(x)}, ${grouped(y)} px; ${seen} in view.`;
  }

  private zoom(factor: number): void {
    this.viewer.viewport.zoomBy(factor);
    this.viewer.viewport.applyConstraints();
  }

  private tellGaps(): void {
    if (!this.drawn && this.missing.some && this.panorama) {
      this.events.imageFailed(new Problem(`The image of ${this.panorama.name} could not be loaded.`));
    } else {
      this.events.gaps(this.missing.some || this.lost);
    }
  }

  private setMaskState(state: MaskState): void {
    if (state === this.masks.state) return;
    this.masks.state = state;
    this.events.masks(state);
  }
}

/** The canvases that show the image: large, and in the minimap. */
function canvasesOf(viewer: OpenSeadragon.Viewer): HTMLElement[] {
  const drawers = [viewer.drawer, (viewer.navigator as OpenSeadragon.Viewer | undefined)?.drawer];
  return drawers.flatMap((drawer) => (drawer ? [drawer.canvas as HTMLElement] : []));
}

function box(className: string): HTMLElement {
  const element = document.createElement('div');
  element.className = className;
  element.setAttribute('aria-hidden', 'true');
  return element;
}

async function fetchPyramid(address: string, what: string, signal: AbortSignal): Promise<Pyramid> {
  const pyramid = parseDescriptor(await fetchText(address, what, signal), address);
  if (!pyramid) throw new Problem(`${what} could not be read: its description is damaged.`);
  return pyramid;
}
