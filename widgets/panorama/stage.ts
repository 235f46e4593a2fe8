import OpenSeadragon from 'openseadragon';
import { fetchText } from '../shared/files';
import { Problem } from '../shared/problem';
import { viewButtons } from './controls';
import { LabelOverlay, type View } from './overlay';
import type { MaskStyle } from './paint';
import type { Panorama } from './panoramas';
import { parseDescriptor, type Pyramid } from './pyramid';
import { Readout } from './readout';
import { ScaleBar } from './scalebar';
import { tileSource } from './source';

/** How far the masks are: `none` where a panorama has none. */
export type MaskState = 'none' | 'loading' | 'drawn' | 'off' | 'failed';

export interface StageEvents {
  /** The first tile of the image is on the screen. */
  ready(): void;
  /** The image cannot be shown at all. */
  imageFailed(problem: Problem): void;
  /** Tiles of the image are missing. */
  tilesMissing(): void;
  masks(state: MaskState): void;
}

const ZOOM_STEP = 1.6;
/** CSS pixels an image pixel, at most, and from which on image pixels are drawn as squares. */
const MAX_ZOOM = 12;
const SQUARE_ZOOM = 3;
const KEYS_OF_OPENSEADRAGON = new Set(['KeyR', 'KeyF', 'KeyJ', 'KeyK', 'KeyW', 'KeyA', 'KeyS', 'KeyD']);

/** The image of a panorama with its masks, minimap, scale bar and buttons. */
export class Stage {
  readonly element = document.createElement('div');
  private readonly area = document.createElement('div');
  private readonly canvas = document.createElement('canvas');
  private readonly scaleBar = new ScaleBar();
  private readonly readout = new Readout();
  private readonly viewer: OpenSeadragon.Viewer;
  private readonly listening = new AbortController();
  private panorama: Panorama | null = null;
  private opening = new AbortController();
  private overlay: LabelOverlay | null = null;
  private masks: { style: MaskStyle | null; state: MaskState | null } = { style: 'fill', state: null };
  private pointer: { x: number; y: number } | null = null;
  private keyboard = false;
  private smooth = true;
  private drawn = false;
  private frame = 0;
  private shownSize = '';
  private showsAll = true;

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    private readonly events: StageEvents,
    fullScreen: (() => void) | null,
  ) {
    this.element.className = 'nn-stage';
    this.area.className = 'nn-area';
    this.canvas.className = 'nn-overlay';
    const minimap = document.createElement('div');
    minimap.className = 'nn-minimap';
    minimap.setAttribute('aria-hidden', 'true');
    const cross = document.createElement('div');
    cross.className = 'nn-cross';
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
      ...(fullScreen ? { fullScreen } : {}),
    });
    this.element.append(this.area, cross, this.scaleBar.element, minimap, buttons, this.readout.element, this.readout.status);
    parent.append(this.element);

    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.viewer = new OpenSeadragon.Viewer({
      element: this.area,
      drawer: 'canvas',
      showNavigationControl: false,
      showNavigator: true,
      navigatorElement: minimap,
      navigatorDisplayRegionColor: '#ffffff',
      cooperativeGestures: true,
      gestureSettingsMouse: { clickToZoom: false },
      gestureSettingsPen: { clickToZoom: false },
      maxZoomPixelRatio: MAX_ZOOM,
      minZoomImageRatio: 0.8,
      visibilityRatio: 0.4,
      // Its way of smoothing tile edges draws at half the resolution or less, off by up to a pixel; tiles overlap anyway.
      smoothTileEdgesMinZoom: Number.POSITIVE_INFINITY,
      animationTime: calm ? 0.01 : 0.7,
      tileRetryMax: 1,
      tileRetryDelay: 800,
    });
    this.prepareCanvas();
    this.listen();
  }

  /** Opens a panorama in place of the one shown. */
  open(panorama: Panorama): void {
    this.opening.abort();
    this.opening = new AbortController();
    const { signal } = this.opening;
    this.overlay?.destroy();
    this.overlay = null;
    this.viewer.close();
    this.panorama = panorama;
    this.drawn = false;
    this.readout.show(0, { x: 0, y: 0 }, 0);
    this.viewer.canvas.setAttribute(
      'aria-label',
      `Panorama ${panorama.name}. Arrow keys move, plus and minus zoom, zero shows all; the nucleus at the middle is told.`,
    );
    this.setMaskState(panorama.labels === null ? 'none' : 'loading');
    const problem = (error: unknown) =>
      error instanceof Problem ? error : new Problem(`The image of ${panorama.name} could not be shown.`);
    this.openImage(panorama, signal).catch((error: unknown) => {
      if (!signal.aborted) this.events.imageFailed(problem(error));
    });
    this.openLabels(panorama, signal).catch(() => {
      if (!signal.aborted) this.setMaskState('failed');
    });
  }

  /** Sets how masks are drawn; null hides them. */
  setMasks(style: MaskStyle | null, opacity: number): void {
    this.masks.style = style;
    this.canvas.style.opacity = String(opacity);
    this.overlay?.setStyle(style);
    this.redraw();
  }

  /** In full screen there is no page to scroll: the wheel and one finger belong to the image. */
  setFullScreen(full: boolean): void {
    this.viewer.setCooperativeGestures(!full);
  }

  destroy(): void {
    this.opening.abort();
    this.listening.abort();
    cancelAnimationFrame(this.frame);
    this.readout.destroy();
    this.overlay?.destroy();
    this.viewer.destroy();
  }

  private prepareCanvas(): void {
    const { canvas } = this.viewer;
    canvas.setAttribute('role', 'application');
    // In a shadow root OpenSeadragon focuses it on every click: that must neither scroll the page nor show the ring.
    let clicked = false;
    const focus = canvas.focus.bind(canvas);
    canvas.focus = () => {
      clicked = true;
      focus({ preventScroll: true });
      clicked = false;
    };
    canvas.addEventListener('focus', () => {
      if (!clicked) this.setKeyboard(true);
    });
    canvas.addEventListener('blur', () => {
      this.setKeyboard(false);
    });
    canvas.append(this.canvas);
  }

  private listen(): void {
    const { viewer } = this;
    viewer.addHandler('update-viewport', () => {
      this.follow();
    });
    viewer.addHandler('tile-drawn', () => {
      if (this.drawn) return;
      this.drawn = true;
      this.events.ready();
    });
    viewer.addHandler('tile-load-failed', ({ maxReached }: { maxReached?: boolean }) => {
      if (maxReached === false) return;
      if (this.drawn) this.events.tilesMissing();
      else if (this.panorama) {
        this.events.imageFailed(new Problem(`The image of ${this.panorama.name} could not be loaded.`));
      }
    });
    viewer.addHandler('canvas-key', (event) => {
      const { code } = event.originalEvent;
      if (KEYS_OF_OPENSEADRAGON.has(code)) event.preventDefaultAction = true;
      else this.setKeyboard(true);
    });
    viewer.addHandler('canvas-click', ({ quick, position }) => {
      if (quick) this.pointTo({ x: position.x, y: position.y });
    });
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

  private async openImage(panorama: Panorama, signal: AbortSignal): Promise<void> {
    const pyramid = await fetchPyramid(panorama.intensity, `The image of ${panorama.name}`, signal);
    if (signal.aborted) return;
    this.viewer.open({ tileSource: tileSource(pyramid) });
  }

  private async openLabels(panorama: Panorama, signal: AbortSignal): Promise<void> {
    if (panorama.labels === null) return;
    const pyramid = await fetchPyramid(panorama.labels, `The masks of ${panorama.name}`, signal);
    if (signal.aborted) return;
    this.overlay = new LabelOverlay(this.canvas, pyramid, {
      changed: () => {
        this.redraw();
      },
      failed: () => {
        this.setMaskState('failed');
      },
    });
    this.overlay.setStyle(this.masks.style);
    this.redraw();
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
      if (this.masks.state !== 'failed') {
        this.setMaskState(this.masks.style === null ? 'off' : overlay.tiles.settled ? 'drawn' : 'loading');
      }
    }
    if (this.keyboard) this.pointer = this.middle();
    this.tell();
  }

  /** Shows the whole panorama after a change of size too, if it was shown before. */
  private keepAll({ width, height }: View): void {
    const { viewport } = this.viewer;
    const size = `${width} ${height}`;
    if (size !== this.shownSize && this.showsAll) viewport.goHome(true);
    this.shownSize = size;
    this.showsAll = Math.abs(viewport.getZoom(false) / viewport.getHomeZoom() - 1) < 0.001;
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
    if (!panorama || !viewer.isOpen()) return null;
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
    if (keyboard || this.keyboard) this.pointTo(keyboard ? this.middle() : null);
    this.keyboard = keyboard;
    this.element.classList.toggle('nn-by-keyboard', keyboard);
  }

  private middle(): { x: number; y: number } {
    return { x: this.area.clientWidth / 2, y: this.area.clientHeight / 2 };
  }

  private pointTo(place: { x: number; y: number } | null): void {
    this.pointer = place;
    this.tell();
  }

  /** Finds the nucleus pointed at, marks it and names it. */
  private tell(): void {
    const { overlay, pointer } = this;
    const view = this.view(true);
    let label = 0;
    if (overlay && pointer && view) {
      const zoom = view.scale / devicePixelRatio;
      label = overlay.tiles.labelAt(Math.floor(view.x + pointer.x / zoom), Math.floor(view.y + pointer.y / zoom)) ?? 0;
    }
    this.readout.show(label, pointer ?? { x: 0, y: 0 }, this.area.clientWidth);
    if (overlay?.mark(label)) this.redraw();
  }

  private zoom(factor: number): void {
    this.viewer.viewport.zoomBy(factor);
    this.viewer.viewport.applyConstraints();
  }

  private setMaskState(state: MaskState): void {
    if (state === this.masks.state) return;
    this.masks.state = state;
    this.events.masks(state);
  }
}

async function fetchPyramid(address: string, what: string, signal: AbortSignal): Promise<Pyramid> {
  const pyramid = parseDescriptor(await fetchText(address, what, signal), address);
  if (!pyramid) throw new Problem(`${what} could not be read: its description is damaged.`);
  return pyramid;
}
