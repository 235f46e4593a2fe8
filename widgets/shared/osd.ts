import OpenSeadragon from 'openseadragon';

/** CSS pixels an image pixel, at most. */
const MAX_ZOOM = 12;

// A tile that arrives after its panorama was closed is no fault: the reader has gone on to another one.
const warn = (...words: unknown[]) => {
  if (!String(words[0]).startsWith('Ignoring tile')) console.warn(...words);
};
Object.assign(OpenSeadragon, { console: { ...console, warn } });

/** OpenSeadragon as the book uses it. */
export function createViewer(element: HTMLElement, minimap: HTMLElement): OpenSeadragon.Viewer {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  return new OpenSeadragon.Viewer({
    element,
    drawer: 'canvas',
    showNavigationControl: false,
    showNavigator: true,
    navigatorElement: minimap,
    navigatorDisplayRegionColor: '#ffffff',
    navigatorOpacity: 1,
    cooperativeGestures: true,
    crossOriginPolicy: 'Anonymous',
    gestureSettingsMouse: { clickToZoom: false },
    gestureSettingsPen: { clickToZoom: false },
    maxZoomPixelRatio: MAX_ZOOM,
    minZoomImageRatio: 0.8,
    visibilityRatio: 0.4,
    // Its way of smoothing tile edges draws at half the resolution or less, off by up to a pixel; tiles overlap anyway.
    smoothTileEdgesMinZoom: Number.POSITIVE_INFINITY,
    animationTime: calm ? 0.01 : 0.7,
    tileRetryMax: 2,
    tileRetryDelay: 800,
  });
}

/** Whether what the reader did last was to press a key: focus that a program moves then is the keyboard's. */
let lastByKey = false;
for (const name of ['keydown', 'pointerdown']) {
  addEventListener(
    name,
    () => {
      lastByKey = name === 'keydown';
    },
    { capture: true, passive: true },
  );
}

/**
 * Makes OpenSeadragon's canvas one that can be used by keyboard. Reports when it gets the focus, other than by a click:
 * in a shadow root OpenSeadragon focuses it on every click, which must neither scroll the page nor show the ring.
 */
export function onFocus(canvas: HTMLElement, changed: (focused: boolean) => void): void {
  canvas.setAttribute('role', 'application');
  let clicked = false;
  const focus = canvas.focus.bind(canvas);
  canvas.focus = () => {
    clicked = !lastByKey;
    focus({ preventScroll: true });
    clicked = false;
  };
  canvas.addEventListener('focus', () => {
    if (!clicked) changed(true);
  });
  canvas.addEventListener('blur', () => {
    changed(false);
  });
}

/** Keys that OpenSeadragon would turn, flip or scroll by, or zoom by a little. */
export const KEYS_OF_OPENSEADRAGON = new Set(['KeyR', 'KeyF', 'KeyJ', 'KeyK', 'KeyW', 'KeyA', 'KeyS', 'KeyD', 'Equal', 'Minus']);

/** The tiles of the image that could not be loaded. */
export class MissingTiles {
  private readonly tiles = new Set<{ exists: boolean; loading: boolean }>();

  constructor(
    private readonly viewer: OpenSeadragon.Viewer,
    changed: () => void,
  ) {
    viewer.addHandler('tile-load-failed', (event) => {
      if ((event as { maxReached?: boolean }).maxReached === false) return;
      this.tiles.add(event.tile);
      changed();
    });
    viewer.addHandler('tile-loaded', ({ tile }) => {
      if (this.tiles.delete(tile)) changed();
    });
  }

  get some(): boolean {
    return this.tiles.size > 0;
  }

  forget(): void {
    this.tiles.clear();
  }

  /** Asks for them again. */
  retry(): void {
    for (const tile of this.tiles) {
      tile.exists = true;
      tile.loading = false;
    }
    this.viewer.world.update(true);
    this.viewer.forceRedraw();
  }
}
