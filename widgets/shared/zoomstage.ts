import OpenSeadragon from 'openseadragon';
import { onTheWay, whileInView } from './approach';
import type { Contrast } from './contrast';
import { ContrastFilter } from './contrastfilter';
import { countLevels } from './histogram';
import { createViewer, KEYS_OF_OPENSEADRAGON, MissingTiles, onFocus } from './osd';
import { viewPicture } from './picture';
import type { Problem } from './problem';
import type { Pyramid } from './pyramid';
import { Readout, type Pointed } from './readout';
import { ScaleBar } from './scalebar';
import { tileSource } from './source';
import { viewButtons } from './viewbuttons';

/** What part of the image the screen shows. */
export interface View {
  /** The image pixel at the canvas's top left corner. */
  x: number;
  y: number;
  /** Device pixels an image pixel. */
  scale: number;
  /** Size of the canvas in device pixels. */
  width: number;
  height: number;
}

/** A place in the stage's area, in CSS pixels. */
export interface Place {
  x: number;
  y: number;
}

/** The image of a stage. */
export interface ZoomImage {
  /** Pixels; 0 where that is only known once it has come. */
  width: number;
  height: number;
  pxPerUm: number | null;
  /** For screen readers: what it is, and what the keys do. */
  label: string;
}

/** What a view learns from its stage, whatever its image is of. */
export interface StageEvents {
  /** The first tile is on the screen. */
  ready(): void;
  /** The image cannot be shown at all. */
  failed(problem: Problem): void;
  /** Whether tiles are missing now, or a canvas is lost. */
  gaps(some: boolean): void;
  /** Movement has come to rest, or what is in view has changed: `view` as in the state. */
  rested(view: number[] | null): void;
  /** From the keyboard: to the next or the previous one after what is chosen. */
  step(step: 1 | -1): void;
  /** From the keyboard: nothing is to be chosen any more. */
  escape(): void;
  save(): void;
  /** Null where the browser has no full screen for a part of the page. */
  fullScreen: (() => void) | null;
}

/** What a stage does with its image. */
export interface ImageEvents {
  /** Neither the image nor its first tiles can be loaded. */
  failed(): void;
  /** The image was drawn: what goes with it is to be drawn in the same frame. */
  drawn(view: View): void;
  /** Describes a place; null where nothing is pointed at. */
  pointed(place: Place | null): Pointed;
  /** Chooses what is at a place. */
  choose(place: Place): void;
  /** Memory that the browser had taken away is back. */
  restored?(): void;
  /** What further keys do, by their names. */
  keys?: Readonly<Record<string, () => void>>;
}

const ZOOM_STEP = 1.6;
/** CSS pixels an image pixel from which on image pixels are drawn as squares. */
const SQUARE_ZOOM = 3;
const REST_MS = 150;

/** An image to zoom into, with minimap, scale bar and buttons, for mouse, touch and keyboard. */
export class ZoomStage {
  readonly element = document.createElement('div');
  /** The row of tools below the image, so that none of them covers a part of it; views may add theirs. */
  readonly bar = document.createElement('div');
  private readonly under = document.createElement('div');
  readonly area = document.createElement('div');
  readonly viewer: OpenSeadragon.Viewer;
  private readonly scaleBar = new ScaleBar();
  private readonly readout = new Readout();
  private readonly filter: ContrastFilter;
  private readonly missing: MissingTiles;
  private readonly listening = new AbortController();
  /** What a key without modifiers does, by its name. */
  private readonly keys: Readonly<Partial<Record<string, () => void>>>;
  private readonly more: HTMLElement[] = [];
  private image: ZoomImage | null = null;
  private pointer: Place | null = null;
  private byKeyboard = false;
  private smooth = true;
  private drawn = false;
  private lost = false;
  private frame = 0;
  private resting: ReturnType<typeof setTimeout> | undefined;
  private shownSize = '';
  private showsAll = true;
  private first: number[] | null = null;
  /** Ends the movement to the first view. */
  private approach: AbortController | null = null;

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    words: { all: string; help: string },
    private readonly events: StageEvents,
    private readonly imageEvents: ImageEvents,
  ) {
    this.keys = {
      Enter: () => {
        imageEvents.choose(this.middle);
      },
      n: () => {
        events.step(1);
      },
      p: () => {
        events.step(-1);
      },
      Escape: () => {
        events.escape();
      },
      ...Object.fromEntries(['+', '=', '-', '_'].map((key, at) => [key, () => { this.zoom(at < 2 ? ZOOM_STEP : 1 / ZOOM_STEP); }])),
      ...imageEvents.keys,
    };
    this.element.className = 'nn-stage';
    this.area.className = 'nn-area';
    const minimap = box('nn-minimap');
    const cross = box('nn-cross');
    const help = box('nn-help');
    help.textContent = words.help;
    const buttons = viewButtons(words.all, {
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
      fullScreen: events.fullScreen,
    });
    const { readout, scaleBar } = this;
    this.element.append(this.area, cross, scaleBar.element, minimap, help, readout.element, readout.status);
    this.bar.className = 'nn-tools';
    this.bar.append(buttons, readout.position);
    const viewport = document.createElement('div');
    viewport.className = 'nn-viewport';
    this.under.className = 'nn-under';
    this.under.append(this.bar);
    viewport.append(this.element, this.under);
    parent.append(viewport);
    this.viewer = createViewer(this.area, minimap);
    this.filter = new ContrastFilter(() => [...canvasesOf(this.viewer), ...this.more]);
    this.element.append(this.filter.element);
    this.missing = new MissingTiles(this.viewer, () => {
      this.checkGaps();
    });
    onFocus(this.viewer.canvas, (focused) => {
      this.setKeyboard(focused);
    });
    this.followViewer();
    this.followPointer();
    for (const name of ['keydown', 'pointermove']) this.element.addEventListener(name, () => { this.say(''); }, { capture: true });
    this.restoreWhenLost(this.viewer.drawer.canvas);
  }

  /**
   * Takes away what is shown, and expects another image, at a view as in the state; with `slowly` all of it is shown at
   * first, and the view is gone to until the reader does something.
   */
  expect(image: ZoomImage, view: number[] | null, slowly = false): void {
    this.approach?.abort();
    this.approach = slowly && view !== null && !matchMedia('(prefers-reduced-motion: reduce)').matches ? new AbortController() : null;
    this.viewer.close();
    this.missing.forget();
    this.image = image;
    this.setAspect();
    this.first = view;
    this.drawn = false;
    this.readout.show(NOTHING, { x: 0, y: 0 }, 0);
    this.viewer.canvas.setAttribute('aria-label', image.label);
  }

  /** Shows the image expected: its pyramids over one another, of which those that are not `shown` are transparent. */
  show(sources: { source: Pyramid | { picture: string } | OpenSeadragon.TileSource; shown: boolean }[]): void {
    const images = sources.map(({ source, shown }) => ({
      tileSource:
        'getTileUrl' in source // OpenSeadragon's kinds of sources inherit nothing from one another
          ? source
          : 'picture' in source
            ? { type: 'image', url: source.picture }
            : tileSource(source),
      opacity: shown ? 1 : 0,
    }));
    this.viewer.open(images);
  }

  /** Shows another one of the pyramids, at the same view. */
  showOnly(shown: number): void {
    const { world } = this.viewer;
    for (let at = 0; at < world.getItemCount(); at++) world.getItemAt(at).setOpacity(at === shown ? 1 : 0);
  }

  /** Whether something is on the screen, of an image that is open. */
  get isOpen(): boolean {
    return this.viewer.isOpen() && this.drawn;
  }

  get size(): ZoomImage | null {
    return this.image;
  }

  get firstView(): number[] | null {
    return this.first;
  }

  get keyboard(): boolean {
    return this.byKeyboard;
  }

  get hasGaps(): boolean {
    return this.missing.some;
  }

  /** Asks again for tiles that could not be loaded. */
  retry(): void {
    this.missing.retry();
  }

  setContrast(contrast: Contrast): void {
    this.filter.show(contrast);
  }

  /** Shows one more canvas with the stage's contrast, in place of the one before. */
  alsoFilter(canvas: HTMLElement): void {
    this.more.splice(0, this.more.length, canvas);
    this.filter.apply();
  }

  /** How often each grey level is in view. */
  levels(): Uint32Array {
    return countLevels(this.viewer.drawer.canvas);
  }

  /** Goes to a view as in the state. */
  goTo(view: number[] | null, immediately = false): void {
    const { viewport } = this.viewer;
    const [x, y, width] = view ?? [];
    this.stopApproach();
    this.first = view;
    if (!this.image || !this.viewer.isOpen()) return;
    if (x === undefined || y === undefined || width === undefined) {
      viewport.goHome(immediately);
      return;
    }
    const full = this.image.width;
    viewport.zoomTo(full / width, undefined, immediately);
    viewport.panTo(new OpenSeadragon.Point(x / full, y / full), immediately);
    viewport.applyConstraints(immediately);
  }

  /** What is in view: now, or once the present movement has come to rest. */
  view(now: boolean): View | null {
    const { image, viewer } = this;
    if (!image || image.width === 0 || !viewer.isOpen()) return null;
    const bounds = viewer.viewport.getBounds(now);
    const size = viewer.viewport.getContainerSize();
    const ratio = devicePixelRatio;
    // In OpenSeadragon's own measure the image is 1 wide.
    return {
      x: bounds.x * image.width,
      y: bounds.y * image.width,
      scale: (size.x * ratio) / (bounds.width * image.width),
      width: Math.round(size.x * ratio),
      height: Math.round(size.y * ratio),
    };
  }

  /** The image pixel at a place; null beside the image. */
  pixelAt(place: Place): { x: number; y: number } | null {
    const { image } = this;
    const view = this.view(true);
    if (!view || !image) return null;
    const zoom = view.scale / devicePixelRatio;
    const pixel = { x: Math.floor(view.x + place.x / zoom), y: Math.floor(view.y + place.y / zoom) };
    return pixel.x < 0 || pixel.y < 0 || pixel.x >= image.width || pixel.y >= image.height ? null : pixel;
  }

  get middle(): Place {
    return { x: this.area.clientWidth / 2, y: this.area.clientHeight / 2 };
  }

  /** Draws the view as a picture with its scale bar, and what is over it. */
  picture(contrast: Contrast, over: HTMLCanvasElement[], title: string, lines: string[]): Promise<Blob> {
    const view = this.view(true);
    const { pxPerUm = null } = this.image ?? {};
    return viewPicture({
      image: this.viewer.drawer.canvas,
      over,
      contrast,
      pixelsPerMicrometre: pxPerUm === null || !view ? null : pxPerUm * view.scale,
      ratio: devicePixelRatio,
      title,
      lines,
    });
  }

  /** Adds buttons to the row of tools, and below it what they open. */
  addTools(tools: { button: HTMLElement; element: HTMLElement }[]): void {
    this.bar.append(...tools.map(({ button }) => button));
    this.under.append(...tools.map(({ element }) => element));
  }

  /** What is pointed at, in words: in the row of tools, unless the view has another place for it. */
  get position(): HTMLElement {
    return this.readout.position;
  }

  /** Says to screen readers what has come of what the reader did. */
  say(text: string): void {
    this.readout.say(text);
  }

  /** Shows the middle as the keyboard does, with a cross: what was gone to is there. */
  pointToMiddle(): void {
    this.focus();
    this.setKeyboard(true);
  }

  /** While something is drawn over the image, a finger draws and does not scroll the page. */
  hold(held: boolean): void {
    if (matchMedia('(pointer: coarse)').matches) this.viewer.setCooperativeGestures(!held);
  }

  /** In full screen there is no page to scroll: the wheel and one finger belong to the image. */
  setFullScreen(full: boolean): void {
    this.viewer.setCooperativeGestures(!full);
  }

  /** Shows what is pointed at, again after more became known. */
  showPointed(): void {
    this.readout.show(this.imageEvents.pointed(this.pointer), this.pointer ?? { x: 0, y: 0 }, this.area.clientWidth);
  }

  /** Draws what goes with the image in the next frame, when the image itself may have no reason to be drawn. */
  redraw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.follow();
    });
  }

  focus(): void {
    this.viewer.canvas.focus();
  }

  /** A browser may take a canvas's memory away; once it is back, all is drawn again. */
  restoreWhenLost(canvas: HTMLCanvasElement): void {
    const { signal } = this.listening;
    canvas.addEventListener(
      'contextlost',
      () => {
        this.lost = true;
        this.checkGaps();
      },
      { signal },
    );
    canvas.addEventListener(
      'contextrestored',
      () => {
        this.lost = false;
        this.checkGaps();
        this.imageEvents.restored?.();
        this.viewer.forceRedraw();
        this.redraw();
      },
      { signal },
    );
  }

  destroy(): void {
    this.listening.abort();
    this.approach?.abort();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    this.readout.destroy();
    this.viewer.destroy();
  }

  private followViewer(): void {
    const { viewer } = this;
    viewer.addHandler('open', () => {
      const size = viewer.world.getItemAt(0).getContentSize();
      if (this.image?.width === 0) this.image = { ...this.image, width: size.x, height: size.y };
      this.setAspect();
      this.filter.apply();
      if (this.approach) viewer.viewport.goHome(true);
      else this.goTo(this.first, true);
      this.showsAll = this.first === null;
    });
    viewer.addHandler('update-viewport', () => {
      this.follow();
    });
    viewer.addHandler('open-failed', () => {
      this.imageEvents.failed();
    });
    viewer.addHandler('tile-drawn', () => {
      if (this.drawn) return;
      this.drawn = true;
      this.events.ready();
      this.beginApproach();
    });
    viewer.addHandler('canvas-key', (event) => {
      const { code, target } = event.originalEvent;
      // Buttons over the image have keys of their own.
      if (KEYS_OF_OPENSEADRAGON.has(code) || target !== viewer.canvas) event.preventDefaultAction = true;
      else this.setKeyboard(true);
    });
    viewer.addHandler('canvas-click', ({ quick, position }) => {
      if (!quick) return;
      this.pointTo({ x: position.x, y: position.y });
      this.imageEvents.choose({ x: position.x, y: position.y });
    });
    viewer.canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target !== viewer.canvas) return;
      const act = this.keys[event.key];
      if (!act) return;
      event.preventDefault();
      this.setKeyboard(true);
      act();
    });
  }

  /** Goes slowly to the first view. */
  private beginApproach(): void {
    const { approach, area, element, first, viewer } = this;
    const [x, y, width] = first ?? [];
    const from = this.view(true);
    if (!approach || !from || x === undefined || y === undefined || width === undefined) return;
    const stop = () => {
      this.stopApproach();
    };
    for (const event of ['pointerdown', 'wheel', 'keydown']) element.addEventListener(event, stop, { capture: true, passive: true, signal: approach.signal });
    const seen = from.width / from.scale;
    const all = [from.x + seen / 2, from.y + from.height / from.scale / 2, seen] as const;
    const step = (ms: number) => {
      const full = this.image?.width;
      const place = onTheWay(all, [x, y, width], ms);
      if (!place || full === undefined) {
        this.approach = null;
        this.goTo(first, true);
        return false;
      }
      viewer.viewport.zoomTo(full / place[2], undefined, true);
      viewer.viewport.panTo(new OpenSeadragon.Point(place[0] / full, place[1] / full), true);
      return true;
    };
    whileInView(area, step, approach.signal);
  }

  /** Stays where the reader has interrupted the way to the first view. */
  private stopApproach(): void {
    if (!this.approach) return;
    this.approach.abort();
    this.approach = null;
    this.redraw();
  }

  private followPointer(): void {
    const { signal } = this.listening;
    this.area.addEventListener(
      'pointermove',
      ({ pointerType, clientX, clientY }) => {
        if (pointerType === 'touch') return;
        if (this.byKeyboard) this.setKeyboard(false);
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

  /** Draws everything that goes with the image, in the frame in which OpenSeadragon has drawn it. */
  private follow(): void {
    const { image } = this;
    const view = this.view(true);
    if (!view || !image) return;
    this.keepAll(view);
    const zoom = view.scale / devicePixelRatio;
    this.scaleBar.update(image.pxPerUm === null ? null : image.pxPerUm * zoom, this.area.clientWidth);
    const smooth = zoom < SQUARE_ZOOM;
    if (smooth !== this.smooth) {
      this.smooth = smooth;
      this.viewer.drawer.setImageSmoothingEnabled(smooth);
    }
    this.imageEvents.drawn(view);
    if (this.byKeyboard) this.pointer = this.middle;
    this.showPointed();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.showPointed();
      // On the way to the first view, the state has it already.
      if (this.viewer.isOpen() && !this.approach) this.events.rested(this.stateOfView());
    }, REST_MS);
  }

  /** Shows the whole image after a change of size too, if it was shown before. */
  private keepAll({ width, height }: View): void {
    const { viewport } = this.viewer;
    const size = `${width} ${height}`;
    if (size !== this.shownSize && this.showsAll) viewport.goHome(true);
    this.shownSize = size;
    const [here, home] = [viewport.getBounds(false), viewport.getHomeBounds()];
    const away = Math.hypot(here.x - home.x, here.y - home.y) / home.width;
    this.showsAll = Math.abs(here.width / home.width - 1) < 0.001 && away < 0.001;
    this.element.classList.toggle('nn-whole', this.showsAll);
  }

  /** A narrow stage is no higher than its image, or else most of it would be black. */
  private setAspect(): void {
    const { image } = this;
    if (!image || image.width === 0) this.element.style.removeProperty('--aspect');
    else this.element.style.setProperty('--aspect', String(image.width / image.height));
  }

  /** The view at rest, as the state has it: to a tenth of a pixel. */
  private stateOfView(): number[] | null {
    const view = this.view(false);
    if (!view || this.showsAll) return null;
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    return [view.x + width / 2, view.y + height / 2, width].map((value) => Math.round(10 * value) / 10);
  }

  /** With the keyboard, what is at the middle is pointed at, and a cross shows where that is. */
  private setKeyboard(keyboard: boolean): void {
    const changed = keyboard !== this.byKeyboard;
    this.byKeyboard = keyboard;
    this.element.classList.toggle('nn-by-keyboard', keyboard);
    if (changed) this.pointTo(keyboard ? this.middle : null);
  }

  private pointTo(place: Place | null): void {
    this.pointer = place;
    this.showPointed();
  }

  private zoom(factor: number): void {
    this.viewer.viewport.zoomBy(factor);
    this.viewer.viewport.applyConstraints();
  }

  private checkGaps(): void {
    if (!this.drawn && this.missing.some && this.image) this.imageEvents.failed();
    else this.events.gaps(this.missing.some || this.lost);
  }
}

/** Where nothing is pointed at. */
export const NOTHING: Pointed = { name: '', facts: '', colour: '', position: '', spoken: '' };

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
