import type { Place } from './axes';

/** What a reader does to the plane with a mouse, a pen or fingers; places are CSS pixels of the area. */
export interface Actions {
  /** Whether a drag draws a lasso. */
  lassoing(): boolean;
  point(place: Place | null): void;
  choose(place: Place, coarse: boolean): void;
  pan(dx: number, dy: number): void;
  zoom(factor: number, about: Place): void;
  draw(path: Place[], done: boolean): void;
  /** The wheel was turned without the key that makes it zoom. */
  hint(): void;
}

const DRAG_PX = 4;
const WHEEL_SPEED = 0.002;
/** Pixels of a step of the wheel, which a browser may give in pixels, lines or pages. */
const DELTA_PX = [1, 16, 400];

/**
 * Listens to an area until the signal aborts.
 *
 * The wheel and one finger scroll the page, as everywhere: the wheel zooms with Ctrl (or as a pinch on a touch pad), and
 * two fingers zoom and pan. Only while a lasso is to be drawn does one finger belong to the plane.
 */
export function listen(area: HTMLElement, actions: Actions, signal: AbortSignal): void {
  listenToDrags(area, actions, signal);
  listenToPinches(area, actions, signal);
  area.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey) {
        actions.hint();
        return;
      }
      event.preventDefault();
      const pixels = event.deltaY * (DELTA_PX[event.deltaMode] ?? 1);
      actions.zoom(Math.exp(-Math.max(-300, Math.min(300, pixels)) * WHEEL_SPEED), placeIn(area, event));
    },
    { signal, passive: false },
  );
}

function listenToDrags(area: HTMLElement, actions: Actions, signal: AbortSignal): void {
  let drag: { id: number; path: Place[]; lasso: boolean; far: boolean } | null = null;
  let dragged = false;
  const end = (done: boolean) => {
    if (drag?.lasso && drag.far) actions.draw(done ? drag.path : [], true);
    drag = null;
  };
  area.addEventListener(
    'pointerdown',
    (event) => {
      dragged = false;
      const lasso = actions.lassoing() || (event.shiftKey && event.pointerType !== 'touch');
      if (event.button !== 0 || !event.isPrimary || (event.pointerType === 'touch' && !lasso)) return;
      drag = { id: event.pointerId, path: [placeIn(area, event)], lasso, far: false };
      area.setPointerCapture(event.pointerId);
    },
    { signal },
  );
  area.addEventListener(
    'pointermove',
    (event) => {
      const place = placeIn(area, event);
      if (drag?.id !== event.pointerId) {
        if (event.pointerType !== 'touch') actions.point(place);
        return;
      }
      const before = drag.path.at(-1) ?? place;
      if (!drag.far && Math.hypot(place.x - before.x, place.y - before.y) < DRAG_PX) return;
      drag.far = dragged = true;
      if (drag.lasso) {
        drag.path.push(place);
        actions.draw(drag.path, false);
      } else {
        drag.path = [place];
        actions.pan(place.x - before.x, place.y - before.y);
      }
    },
    { signal },
  );
  area.addEventListener('pointerup', () => { end(true); }, { signal });
  area.addEventListener('pointercancel', () => { end(false); }, { signal });
  area.addEventListener(
    'pointerleave',
    ({ pointerType }) => {
      if (pointerType !== 'touch') actions.point(null);
    },
    { signal },
  );
  area.addEventListener(
    'click',
    (event) => {
      if (!dragged) actions.choose(placeIn(area, event), event.pointerType === 'touch');
    },
    { signal },
  );
}

function listenToPinches(area: HTMLElement, actions: Actions, signal: AbortSignal): void {
  let before: { middle: Place; distance: number } | null = null;
  const read = ({ touches: [one, two] }: TouchEvent) => {
    if (!one || !two) return null;
    const [a, b] = [placeIn(area, one), placeIn(area, two)];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, distance: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  const move = (event: TouchEvent) => {
    const now = read(event);
    if (now && event.cancelable) event.preventDefault();
    if (now && before) {
      actions.pan(now.middle.x - before.middle.x, now.middle.y - before.middle.y);
      if (before.distance > 0) actions.zoom(now.distance / before.distance, now.middle);
    }
    before = now;
  };
  for (const type of ['touchstart', 'touchmove', 'touchend', 'touchcancel'] as const) {
    area.addEventListener(type, move, { signal, passive: false });
  }
}

function placeIn(area: HTMLElement, { clientX, clientY }: { clientX: number; clientY: number }): Place {
  const { left, top } = area.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}
