import { iconButton, textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import type { Place, View, ZoomStage } from '../shared/zoomstage';

/** A place in pixels of the image. */
interface Point {
  x: number;
  y: number;
}

/** Within so many CSS pixels of an end, a press takes hold of it. */
const GRIP = 14;
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
    // Beside the line, on its upper side.
    const slope = Math.atan2(b.y - a.y, b.x - a.x);
    const [nx, ny] = [Math.sin(slope), -Math.cos(slope)].map((part) => part * (Math.cos(slope) < 0 ? -1 : 1));
    label.style.transform = `translate(${(a.x + b.x) / 2 + 12 * (nx ?? 0)}px, ${(a.y + b.y) / 2 + 12 * (ny ?? 0)}px) translate(${-50 + 50 * (nx ?? 0)}%, ${-50 + 50 * (ny ?? 0)}%)`;
    [a, b].forEach((end, at) => {
      const handle = ends[at];
      if (!handle) return;
      handle.style.transform = `translate(${end.x}px, ${end.y}px)`;
    });
  }

  /** The line over a picture of the view, `ratio` of its pixels a CSS pixel. */
  drawInto(context: CanvasRenderingContext2D, toPicture: (x: number, y: number) => [number, number], ratio: number): void {
    const { line } = this;
    if (!line) return;
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = line;
    const [a, b] = [toPicture(x1, y1), toPicture(x2, y2)];
    for (const [colour, width] of [['#000', 5], ['#fff', 2]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.beginPath();
      context.moveTo(...a);
      context.lineTo(...b);
      context.stroke();
    }
    context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'bottom';
    context.lineWidth = 4 * ratio;
    context.strokeStyle = '#000';
    context.fillStyle = '#fff';
    const text = lengthOf(line, this.pxPerUm);
    const [x, y] = [(a[0] + b[0]) / 2, Math.min(a[1], b[1]) + Math.abs(a[1] - b[1]) / 2 - 8 * ratio];
    context.strokeText(text, x, y);
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
