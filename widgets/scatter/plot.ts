import { textElement } from '../shared/elements';
import { allInside, type Polygon } from '../shared/polygon';
import {
  confined,
  homeAxes,
  isHome,
  moved,
  shortened,
  toData,
  toPixels,
  zoomed,
  type Axes,
  type Columns,
  type Frame,
  type Place,
} from './axes';
import { drawMarks, drawPlane, frameOf, Layer, type PageStyle, type Marks, type Scene, type Titles } from './drawing';
import { nearest, nearestTowards, simplified } from './geometry';
import { listen } from './gestures';

export interface PlotEvents {
  /** The reader has moved to another part of the plane; null for all of it. */
  moved(axes: Axes | null): void;
  choose(at: number): void;
  /** A lasso has been drawn; null if it was too small to hold anything. */
  select(lasso: Polygon | null): void;
  /** A point is pointed at, or none (-1), at a place of the area. */
  pointed(at: number, place: Place, byKeyboard: boolean): void;
  /** For screen readers. */
  announce(text: string): void;
}

const ZOOM_STEP = 1.6;
const HIT_PX = 14;
const COARSE_HIT_PX = 26;
const MOVE_MS = 220;
const HINT_MS = 1200;
const MOST_CORNERS = 120;
const KEYS = 'Arrows go from point to point, Enter opens one, + and − zoom, R starts a rectangle that selects.';
/** A key that goes through all points, from where and how far. */
interface Step {
  from: 'first' | 'last' | 'here';
  by: number;
}
const STEPS: Partial<Record<string, Step>> = {
  Home: { from: 'first', by: 0 },
  End: { from: 'last', by: 0 },
  PageUp: { from: 'here', by: -1 },
  PageDown: { from: 'here', by: 1 },
};
const ARROWS: Record<string, Place> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** What the points of a plane are. */
export interface PlotSubject {
  points: Columns;
  titles: Titles;
  /** The name of the plane, for readers who hear it. */
  label: string;
  /** Of a point, in CSS pixels. */
  radius: number;
  representatives: { at: number; rank: number }[];
  centroid: Place | null;
}

/** Points in a plane of two values. */
export class Plot {
  readonly element = document.createElement('div');
  private readonly area = document.createElement('div');
  private readonly plane = document.createElement('canvas');
  private readonly over = document.createElement('canvas');
  private readonly hint = textElement('p', '', 'nn-hint');
  private readonly scene: Scene;
  private points: Columns = { x: [], y: [] };
  private home: Axes = { x0: 0, x1: 1, y0: 0, y1: 1 };
  /** Points from left to right, for the keys that go through all of them; null until one is pressed. */
  private order: Uint32Array | null = null;
  private axes: Axes = this.home;
  private radius = 1;
  private frame: Frame = { left: 0, top: 0, width: 1, height: 1 };
  private style: PageStyle;
  private layer: Layer | null = null;
  private stale = true;
  private request = 0;
  private movement = 0;
  private hintTimer: ReturnType<typeof setTimeout> | undefined;
  private lassoing = false;
  private corner = -1;
  private readonly marks: Marks = {
    pointed: -1,
    chosen: -1,
    byKeyboard: false,
    lifted: [],
    lasso: null,
    drawn: [],
    rectangle: null,
  };

  constructor(
    subject: PlotSubject,
    private readonly pageStyle: () => PageStyle,
    private readonly events: PlotEvents,
    signal: AbortSignal,
  ) {
    const { element, area, hint } = this;
    element.className = 'nn-plot';
    area.className = 'nn-area';
    area.tabIndex = 0;
    area.setAttribute('role', 'application');
    area.setAttribute('aria-roledescription', 'scatter plot');
    hint.hidden = true;
    const keys = textElement('p', KEYS, 'nn-keys');
    keys.setAttribute('aria-hidden', 'true');
    for (const canvas of [this.plane, this.over]) canvas.setAttribute('aria-hidden', 'true');
    area.append(this.plane, this.over);
    element.append(area, hint, keys);
    this.scene = {
      places: { x: new Float64Array(0), y: new Float64Array(0) },
      levels: new Uint8Array(0),
      inside: null,
      binned: 'count',
      titles: subject.titles,
      centroid: null,
      representatives: [],
    };
    this.style = pageStyle();
    this.setSubject(subject);
    this.listen(signal);
    signal.addEventListener('abort', () => {
      cancelAnimationFrame(this.request);
      cancelAnimationFrame(this.movement);
      clearTimeout(this.hintTimer);
    });
  }

  /** Shows other points, all of them, with nothing marked. */
  setSubject({ points, titles, label, radius, representatives, centroid }: PlotSubject): void {
    const { length } = points.x;
    this.points = points;
    this.home = homeAxes(points);
    this.axes = this.home;
    this.order = null;
    this.radius = radius;
    this.corner = -1;
    Object.assign(this.marks, { pointed: -1, chosen: -1, lifted: [], lasso: null, drawn: [], rectangle: null });
    Object.assign(this.scene, {
      places: { x: new Float64Array(length), y: new Float64Array(length) },
      levels: new Uint8Array(length),
      inside: null,
      titles,
      centroid,
      representatives,
    });
    this.area.setAttribute(
      'aria-label',
      `${label}. Arrow keys go from point to point, Enter opens one, plus and minus zoom, zero shows all, ` +
        'R starts a rectangle that selects, Escape ends it.',
    );
    this.redraw('plane');
  }

  /** Colours points by levels; where they are binned, by the mean of these or by how many there are. */
  setLevels(levels: Uint8Array, binned: Scene['binned'] = 'level'): void {
    this.scene.levels = levels;
    this.scene.binned = binned;
    this.redraw('plane');
  }

  /** Shows a part of the plane; null shows all of it. */
  setAxes(axes: Axes | null): void {
    cancelAnimationFrame(this.movement);
    this.axes = axes ? confined(axes, this.home) : this.home;
    this.redraw('plane');
  }

  /** Shows a lasso, with the points that are inside: by default those that it goes round in this plane. */
  setLasso(lasso: Polygon | null, inside = lasso && allInside(lasso, this.points.x, this.points.y)): Uint8Array | null {
    this.marks.lasso = lasso;
    this.scene.inside = inside;
    this.redraw('plane');
    return inside;
  }

  /** Marks the chosen point, or none for -1. */
  setChosen(at: number): void {
    this.marks.chosen = at;
    this.redraw('over');
  }

  setLifted(lifted: number[]): void {
    this.marks.lifted = lifted;
    this.redraw('over');
  }

  /** Whether the next drag draws a lasso. */
  setLassoing(lassoing: boolean): void {
    if (lassoing && !this.lassoing) this.events.announce('Lasso ready: drag round points. By keyboard, R in the plane starts a rectangle. Escape ends it.');
    this.lassoing = lassoing;
    this.area.classList.toggle('nn-lassoing', lassoing);
  }

  /** Points at a point as the keyboard does, and moves it into view. */
  reveal(at: number): void {
    const point = this.point(at);
    if (!point) return;
    this.marks.byKeyboard = true;
    const { axes } = this;
    const [marginX, marginY] = [(axes.x1 - axes.x0) * 0.04, (axes.y1 - axes.y0) * 0.04];
    const beyond = (value: number, from: number, to: number) => Math.min(0, value - from) + Math.max(0, value - to);
    const dx = beyond(point.x, axes.x0 + marginX, axes.x1 - marginX);
    const dy = beyond(point.y, axes.y0 + marginY, axes.y1 - marginY);
    const next = moved(axes, this.home, dx, dy);
    if (next.x0 !== axes.x0 || next.y0 !== axes.y0) this.move(next, false);
    this.place();
    this.pointTo(at, true);
  }

  /** Points at nothing any more. */
  hidePointed(): void {
    this.pointTo(-1, false);
  }

  zoomIn(): void {
    this.zoom(ZOOM_STEP, this.zoomMiddle(), true);
  }

  zoomOut(): void {
    this.zoom(1 / ZOOM_STEP, this.zoomMiddle(), true);
  }

  showAll(): void {
    this.move(this.home, true);
  }

  focus(): void {
    this.area.focus({ preventScroll: true });
  }

  /** Draws everything again, after a change of size or of the page's colours. */
  refresh(): void {
    this.style = this.pageStyle();
    this.layer = null;
    this.redraw('plane');
  }

  private listen(signal: AbortSignal): void {
    const { area } = this;
    listen(
      area,
      {
        lassoing: () => this.lassoing,
        point: (place) => {
          this.marks.byKeyboard = false;
          this.pointTo(place && this.contains(place) ? nearest(this.scene.places, place, HIT_PX) : -1, false);
        },
        choose: (place, coarse) => {
          const at = nearest(this.scene.places, place, coarse ? COARSE_HIT_PX : HIT_PX);
          if (at < 0 || !this.contains(place)) return;
          this.pointTo(at, false);
          this.events.choose(at);
        },
        pan: (dx, dy) => {
          const { axes, frame } = this;
          const [perX, perY] = [(axes.x1 - axes.x0) / frame.width, (axes.y1 - axes.y0) / frame.height];
          this.move(moved(axes, this.home, -dx * perX, dy * perY), false);
        },
        zoom: (factor, about) => {
          this.zoom(factor, toData(this.axes, this.frame, about), false);
        },
        draw: (path, done) => {
          this.marks.drawn = done ? [] : path;
          this.redraw('over');
          if (done) this.events.select(this.polygonOf(path));
        },
        hint: () => {
          const key = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';
          this.hint.textContent = `Hold ${key} to zoom with the wheel`;
          this.hint.hidden = false;
          clearTimeout(this.hintTimer);
          this.hintTimer = setTimeout(() => {
            this.hint.hidden = true;
          }, HINT_MS);
        },
      },
      signal,
    );
    area.addEventListener('keydown', (event) => { this.press(event); }, { signal });
    area.addEventListener(
      'focus',
      () => {
        // A click brings the focus along, but is not the keyboard.
        if (area.matches(':focus-visible') && this.marks.pointed < 0) this.reveal(this.first());
      },
      { signal },
    );
    area.addEventListener(
      'blur',
      () => {
        this.corner = -1;
        this.marks.rectangle = null;
        this.pointTo(-1, false);
      },
      { signal },
    );
    const observer = new ResizeObserver(() => {
      this.refresh();
    });
    observer.observe(this.element);
    signal.addEventListener('abort', () => {
      observer.disconnect();
    });
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const at = this.marks.pointed >= 0 ? this.marks.pointed : this.first();
    const direction = ARROWS[key];
    const step = STEPS[key];
    if (direction) {
      const next = nearestTowards(this.scene.places, at, direction);
      this.reveal(this.marks.pointed >= 0 && next >= 0 ? next : at);
    } else if (step) this.reveal(this.stepTo(at, step));
    else if (key === 'Enter' || key === ' ') {
      if (this.corner >= 0) this.endRectangle();
      else this.events.choose(at);
    } else if (key === '+' || key === '=') this.zoomIn();
    else if (key === '-') this.zoomOut();
    else if (key === '0') this.showAll();
    else if (key === 'r' || key === 'R') {
      if (this.corner >= 0) this.endRectangle();
      else this.startRectangle(at);
    } else if (key === 'Escape' && this.corner >= 0) this.dropRectangle();
    else if (key === 'Escape' && this.lassoing) this.events.select(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The point to which a key leads that goes through all of them from left to right. */
  private stepTo(at: number, { from, by }: Step): number {
    const { x, y } = this.points;
    this.order ??= Uint32Array.from(x, (_, point) => point).sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0) || (y[a] ?? 0) - (y[b] ?? 0));
    const last = this.order.length - 1;
    const start = { first: 0, last, here: this.order.indexOf(at) }[from];
    return this.order[Math.min(last, Math.max(0, start + by))] ?? -1;
  }

  private point(at: number): Place | null {
    const [x, y] = [this.points.x[at], this.points.y[at]];
    return x === undefined || y === undefined ? null : { x, y };
  }

  private startRectangle(at: number): void {
    this.corner = at;
    this.pointTo(at, true);
    this.events.announce('Rectangle started. Go to the point at its opposite corner and press Enter, or Escape to leave it.');
  }

  private endRectangle(): void {
    const path = this.marks.rectangle;
    this.corner = -1;
    this.marks.rectangle = null;
    if (!path) return;
    // Both points at its corners belong to it.
    const [[left, right], [top, bottom]] = (['x', 'y'] as const).map((side) => {
      const ends = path.map((place) => place[side]);
      return [Math.min(...ends) - 1, Math.max(...ends) + 1];
    }) as [[number, number], [number, number]];
    this.events.select(this.polygonOf([{ x: left, y: top }, { x: right, y: top }, { x: right, y: bottom }, { x: left, y: bottom }]));
  }

  private dropRectangle(): void {
    this.corner = -1;
    this.marks.rectangle = null;
    this.redraw('over');
    this.events.announce('Rectangle left.');
  }

  /** The lasso in the units of the axes, short enough for an address. */
  private polygonOf(path: Place[]): Polygon | null {
    let corners = path.length > 4 ? simplified(path, 1) : path;
    for (let tolerance = 2; corners.length > MOST_CORNERS; tolerance *= 2) corners = simplified(path, tolerance);
    if (corners.length < 3) return null;
    const { axes, frame } = this;
    const [perX, perY] = [(axes.x1 - axes.x0) / frame.width, (axes.y1 - axes.y0) / frame.height];
    return corners.map((corner) => {
      const { x, y } = toData(axes, frame, corner);
      return [shortened(x, perX), shortened(y, perY)];
    });
  }

  private pointTo(at: number, byKeyboard: boolean): void {
    const changed = at !== this.marks.pointed || byKeyboard !== this.marks.byKeyboard;
    this.marks.pointed = at;
    this.marks.byKeyboard = byKeyboard;
    this.area.classList.toggle('nn-over-point', at >= 0);
    const place = this.placeOf(at);
    if (this.corner >= 0) this.marks.rectangle = [this.placeOf(this.corner), place];
    if (changed || byKeyboard) this.events.pointed(at, place, byKeyboard);
    this.redraw('over');
  }

  private placeOf(at: number): Place {
    return { x: this.scene.places.x[at] ?? 0, y: this.scene.places.y[at] ?? 0 };
  }

  /** Where the keyboard begins: at the chosen point, or else at the one nearest the centroid. */
  private first(): number {
    if (this.marks.chosen >= 0) return this.marks.chosen;
    const { centroid } = this.scene;
    const middle = centroid ? toPixels(this.axes, this.frame, centroid) : { x: 0, y: 0 };
    return nearest(this.scene.places, middle, Infinity);
  }

  private contains({ x, y }: Place): boolean {
    const { left, top, width, height } = this.frame;
    return x >= left - HIT_PX && x <= left + width + HIT_PX && y >= top - HIT_PX && y <= top + height + HIT_PX;
  }

  /** What stays where it is while buttons or keys zoom: the point pointed at by the keyboard, or the middle. */
  private zoomMiddle(): Place {
    const point = this.marks.byKeyboard ? this.point(this.marks.pointed) : null;
    return point ?? { x: (this.axes.x0 + this.axes.x1) / 2, y: (this.axes.y0 + this.axes.y1) / 2 };
  }

  private zoom(factor: number, about: Place, smooth: boolean): void {
    this.move(zoomed(this.axes, this.home, factor, about), smooth);
  }

  private move(to: Axes, smooth: boolean): void {
    cancelAnimationFrame(this.movement);
    this.events.moved(isHome(to, this.home) ? null : to);
    const from = this.axes;
    if (!smooth || matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.axes = to;
      this.redraw('plane');
      return;
    }
    const start = performance.now();
    const go = (now: number) => {
      const share = Math.min(1, Math.max(0, (now - start) / MOVE_MS));
      const eased = 1 - (1 - share) ** 3;
      const mix = (side: keyof Axes) => from[side] + (to[side] - from[side]) * eased;
      this.axes = share < 1 ? { x0: mix('x0'), x1: mix('x1'), y0: mix('y0'), y1: mix('y1') } : to;
      this.redraw('plane');
      if (share < 1) this.movement = requestAnimationFrame(go);
    };
    this.movement = requestAnimationFrame(go);
  }

  /** Draws in the next frame: the marks over the points, or all of the plane. */
  private redraw(what: 'plane' | 'over'): void {
    if (what === 'plane') this.stale = true;
    if (this.request !== 0) return;
    this.request = requestAnimationFrame(() => {
      this.request = 0;
      this.draw();
    });
  }

  /** Puts every point where the axes say. */
  private place(): void {
    const { axes, frame, points } = this;
    const { x, y } = this.scene.places;
    const [scaleX, scaleY] = [frame.width / (axes.x1 - axes.x0), frame.height / (axes.y1 - axes.y0)];
    for (let at = 0; at < x.length; at++) {
      x[at] = frame.left + ((points.x[at] ?? 0) - axes.x0) * scaleX;
      y[at] = frame.top + (axes.y1 - (points.y[at] ?? 0)) * scaleY;
    }
  }

  private draw(): void {
    const [width, height, ratio] = [this.area.clientWidth, this.area.clientHeight, devicePixelRatio];
    if (width === 0) return;
    const [plane, over] = [prepared(this.plane, width, height, ratio), prepared(this.over, width, height, ratio)];
    if (!plane || !over) return;
    const { radius } = this;
    if (this.layer?.ratio !== ratio || this.layer.radius !== radius) this.layer = new Layer(radius, ratio);
    if (this.stale) {
      this.stale = false;
      this.frame = frameOf(plane, this.axes, this.style, width, height);
      this.place();
      plane.clearRect(0, 0, width, height);
      drawPlane(plane, this.axes, this.frame, this.scene, this.layer, this.style);
      if (this.marks.pointed >= 0 && this.marks.byKeyboard) this.pointTo(this.marks.pointed, true);
    }
    if (this.corner >= 0) this.marks.rectangle = [this.placeOf(this.corner), this.placeOf(this.marks.pointed)];
    over.clearRect(0, 0, width, height);
    drawMarks(over, this.axes, this.frame, this.scene.places, this.marks, radius, this.style);
  }
}

/** A canvas' context in CSS pixels, on as many pixels as the screen has. */
function prepared(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): CanvasRenderingContext2D | null {
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
