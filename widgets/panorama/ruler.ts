import { iconButton, textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import type { Place, View, ZoomStage } from '../shared/zoomstage';

/** A place in pixels of the image. */
interface Point {
  x: number;
  y: number;
}

interface Size {
  width: number;
  height: number;
}

/** Within so many CSS pixels of an end, a press takes hold of it. */
const GRIP = 14;
/** CSS pixels from the line to its label, and to what is said of the place under the pointer. */
const LABEL_GAP = 10;
const TOOLTIP_GAP = 30;
/** As in the style sheet. */
const LABEL_GROUND = 'rgb(20 23 26 / 88%)';
const SVG = 'http://www.w3.org/2000/svg';
const KEYS: Partial<Record<string, [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The length of a line, in micrometres where the scale is known, and in pixels. */
export function lengthOf([x1 = 0, y1 = 0, x2 = 0, y2 = 0]: readonly number[], pxPerUm: number | null): string {
  const px = Math.hypot(x2 - x1, y2 - y1);
  const pixels = `${px < 100 ? px.toFixed(1) : grouped(Math.round(px))} px`;
  if (pxPerUm === null) return pixels;
  const um = px / pxPerUm;
  return `${um < 10 ? um.toFixed(2) : um < 1000 ? um.toFixed(1) : grouped(Math.round(um))} µm (${pixels})`;
}

/** Where the middle of a label beside a line is, on its upper side; on the lower one where there is no room above. */
export function labelPlace(a: Point, b: Point, label: Size, area: Size, gap: number): Point {
  const slope = Math.atan2(b.y - a.y, b.x - a.x);
  const side = Math.cos(slope) < 0 ? -1 : 1;
  const [nx, ny] = [side * Math.sin(slope), -side * Math.cos(slope)];
  // So far from the line that no corner of the label is on it.
  const away = gap + (Math.abs(nx) * label.width + Math.abs(ny) * label.height) / 2;
  const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
  const fits = (place: Point) =>
    Math.abs(place.x - area.width / 2) <= (area.width - label.width) / 2 && Math.abs(place.y - area.height / 2) <= (area.height - label.height) / 2;
  const [above, below] = [1, -1].map((sign) => ({ x: x + sign * away * nx, y: y + sign * away * ny })) as [Point, Point];
  return !fits(above) && fits(below) ? below : above;
}

/** How far a place is from a line between two others. */
export function distanceToLine(place: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = dx === 0 && dy === 0 ? 0 : Math.min(1, Math.max(0, ((place.x - a.x) * dx + (place.y - a.y) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(place.x - a.x - along * dx, place.y - a.y - along * dy);
}

/**
 * A line over the image that measures a length. While it is out, a drag draws another one and two clicks do as well; its
 * ends can be dragged, and moved by arrow keys. The line is in the state of the view: x and y of its two ends.
 */
export class Ruler {
  readonly button: HTMLButtonElement;
  private readonly element = textElement('div', '', 'nn-ruler');
  private readonly lines = ['nn-ruler-back', 'nn-ruler-line'].map(svgLine);
  private readonly label = textElement('div', '', 'nn-ruler-label');
  readonly status = textElement('div', '', 'nn-hidden');
  private readonly ends: HTMLButtonElement[];
  private line: number[] | null = null;
  private pxPerUm: number | null = null;
  /** The end that follows the pointer. */
  private held: 0 | 1 | null = null;
  /** The first of two clicks was made. */
  private waiting = false;

  /** `changed` takes the line once it has been drawn or moved; null where it is put away. */
  constructor(
    private readonly zoom: ZoomStage,
    private readonly changed: (line: number[] | null) => void,
    signal: AbortSignal,
  ) {
    const { element, label, status, lines } = this;
    this.button = iconButton('Ruler (R)', 'M3 16L16 3l5 5L8 21zM7 12l2.5 2.5M10 9l1.5 1.5M13 6l2.5 2.5', () => {
      this.toggle();
    });
    this.button.setAttribute('aria-pressed', 'false');
    const picture = document.createElementNS(SVG, 'svg');
    picture.setAttribute('aria-hidden', 'true');
    picture.append(...lines);
    this.ends = [0, 1].map((end) => this.endHandle(end as 0 | 1));
    status.setAttribute('role', 'status');
    element.append(picture, label, ...this.ends);
    element.hidden = true;
    zoom.viewer.canvas.append(element);
    this.followPointer(signal);
  }

  get out(): boolean {
    return this.line !== null;
  }

  /** Brings the ruler out across the middle of the view, or puts it away. */
  toggle(): void {
    const view = this.zoom.view(false);
    if (this.line || !view) {
      this.set(null);
      return;
    }
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    const [x, y] = [view.x + width / 2, view.y + height / 2];
    this.set([x - width / 8, y, x + width / 8, y]);
    this.ends[0]?.focus({ preventScroll: true });
  }

  /** Whether the line is being drawn, or a place is so near to it that what is said of the place would hide the line. */
  isAt(place: Place): boolean {
    const view = this.zoom.view(true);
    if (!this.line || !view) return false;
    return this.held !== null || distanceToLine(place, this.toScreen(view, 0), this.toScreen(view, 1)) < TOOLTIP_GAP;
  }

  putAway(): void {
    if (this.line) this.set(null);
  }

  /** Shows the line of the state. */
  show(line: number[] | null, pxPerUm: number | null): void {
    this.line = line;
    this.pxPerUm = pxPerUm;
    if (!line) {
      const { activeElement } = this.element.getRootNode() as Document | ShadowRoot;
      if (this.ends.includes(activeElement as HTMLButtonElement)) this.zoom.focus();
      this.held = null;
      this.waiting = false;
    }
    this.element.hidden = line === null;
    this.button.setAttribute('aria-pressed', String(line !== null));
    this.zoom.hold(line !== null);
    this.zoom.redraw();
  }

  /** Draws the line as the image is drawn. */
  draw(view: View): void {
    const { line, lines, label, ends } = this;
    if (!line) return;
    const [a, b] = [this.toScreen(view, 0), this.toScreen(view, 1)];
    for (const one of lines) {
      for (const [name, value] of [['x1', a.x], ['y1', a.y], ['x2', b.x], ['y2', b.y]] as const) one.setAttribute(name, value.toFixed(1));
    }
    const text = lengthOf(line, this.pxPerUm);
    if (label.textContent !== text) label.textContent = text;
    const size = { width: label.offsetWidth, height: label.offsetHeight };
    const area = { width: view.width / devicePixelRatio, height: view.height / devicePixelRatio };
    const { x, y } = labelPlace(a, b, size, area, LABEL_GAP);
    label.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
    [a, b].forEach((end, at) => {
      const handle = ends[at];
      if (!handle) return;
      handle.style.transform = `translate(${end.x}px, ${end.y}px)`;
    });
  }

  /** Draws the line and its label over a picture of a view, `ratio` of whose pixels are a CSS pixel. */
  drawInto(context: CanvasRenderingContext2D, view: View, ratio: number): void {
    const { line } = this;
    if (!line) return;
    const [a, b] = [0, 1].map((end) => ({
      x: ((line[2 * end] ?? 0) - view.x) * view.scale,
      y: ((line[2 * end + 1] ?? 0) - view.y) * view.scale,
    })) as [Point, Point];
    for (const [colour, width] of [['#000', 5], ['#fff', 2]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      context.stroke();
    }
    const text = lengthOf(line, this.pxPerUm);
    context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
    const size = { width: context.measureText(text).width + 14 * ratio, height: 21 * ratio };
    const { x, y } = labelPlace(a, b, size, view, LABEL_GAP * ratio);
    context.fillStyle = LABEL_GROUND;
    context.beginPath();
    context.roundRect(x - size.width / 2, y - size.height / 2, size.width, size.height, 4 * ratio);
    context.fill();
    context.fillStyle = '#fff';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(text, x, y);
  }

  private set(line: number[] | null): void {
    this.show(line, this.pxPerUm);
    this.changed(line?.map((value) => Math.round(10 * value) / 10) ?? null);
    this.status.textContent = line ? lengthOf(line, this.pxPerUm) : '';
  }

  private endHandle(end: 0 | 1): HTMLButtonElement {
    const handle = document.createElement('button');
    handle.type = 'button';
    handle.className = 'nn-ruler-end';
    handle.setAttribute('aria-label', `${end === 0 ? 'First' : 'Second'} end of the ruler; arrow keys move it, with Shift by ten`);
    handle.addEventListener('keydown', (event) => {
      const by = KEYS[event.key];
      const view = this.zoom.view(true);
      if (event.key === 'Escape' || event.key === 'r' || event.key === 'R') {
        event.preventDefault();
        event.stopPropagation();
        this.set(null);
        return;
      }
      if (!by || !view || !this.line) return;
      event.preventDefault();
      event.stopPropagation();
      // A pixel of the image where those are large, else one of the screen.
      const step = Math.max(1, devicePixelRatio / view.scale) * (event.shiftKey ? 10 : 1);
      this.moveEnd(end, { x: (this.line[2 * end] ?? 0) + by[0] * step, y: (this.line[2 * end + 1] ?? 0) + by[1] * step });
      this.set(this.line);
    });
    return handle;
  }

  private followPointer(signal: AbortSignal): void {
    const { viewer } = this.zoom;
    viewer.addHandler('canvas-press', ({ position }) => {
      if (!this.line) return;
      const view = this.zoom.view(true);
      if (!view) return;
      const near = ([0, 1] as const).find((end) => {
        const at = this.toScreen(view, end);
        return Math.hypot(at.x - position.x, at.y - position.y) < GRIP;
      });
      const point = this.toImage(position);
      if (!point) return;
      if (this.waiting) this.held = 1;
      else if (near === undefined) {
        this.line = [point.x, point.y, point.x, point.y];
        this.held = 1;
      } else this.held = near;
      this.moveEnd(this.held, point);
    });
    viewer.addHandler('canvas-drag', (event) => {
      if (!this.line) return;
      event.preventDefaultAction = true;
      this.follow(event.position);
    });
    viewer.addHandler('canvas-drag-end', (event) => {
      if (this.line) (event as { preventDefaultAction?: boolean }).preventDefaultAction = true;
    });
    viewer.addHandler('canvas-release', () => {
      if (!this.line || this.held === null) return;
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = this.line;
      const view = this.zoom.view(true);
      const short = view !== null && (Math.hypot(x2 - x1, y2 - y1) * view.scale) / devicePixelRatio < 4;
      this.waiting = short && !this.waiting;
      if (this.waiting) return;
      this.held = null;
      this.set(this.line);
    });
    this.zoom.area.addEventListener(
      'pointermove',
      ({ clientX, clientY }) => {
        if (!this.waiting) return;
        const { left, top } = this.zoom.area.getBoundingClientRect();
        this.follow({ x: clientX - left, y: clientY - top });
      },
      { signal },
    );
  }

  private follow(place: Place): void {
    const point = this.toImage(place);
    if (this.held !== null && point) this.moveEnd(this.held, point);
  }

  private moveEnd(end: 0 | 1, { x, y }: Point): void {
    const { line } = this;
    const size = this.zoom.size;
    if (!line || !size) return;
    const next = [...line];
    next[2 * end] = Math.min(size.width, Math.max(0, x));
    next[2 * end + 1] = Math.min(size.height, Math.max(0, y));
    this.line = next;
    this.zoom.redraw();
  }

  private toImage({ x, y }: Place): Point | null {
    const view = this.zoom.view(true);
    return view && { x: view.x + (x * devicePixelRatio) / view.scale, y: view.y + (y * devicePixelRatio) / view.scale };
  }

  private toScreen(view: View, end: 0 | 1): Place {
    const [x = 0, y = 0] = this.line?.slice(2 * end) ?? [];
    return { x: ((x - view.x) * view.scale) / devicePixelRatio, y: ((y - view.y) * view.scale) / devicePixelRatio };
  }
}

function svgLine(className: string): SVGLineElement {
  const line = document.createElementNS(SVG, 'line');
  line.setAttribute('class', className);
  return line;
}
