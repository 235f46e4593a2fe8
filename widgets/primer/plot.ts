import { textElement } from '../shared/elements';
import { shape } from './picture';

/** Points, joined by a line or not. */
export interface Series {
  points: readonly (readonly [number, number])[];
  kind: 'line' | 'dots';
  className: string;
}

export interface Axis {
  name: string;
  from: number;
  to: number;
  ticks: readonly { at: number; text: string }[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [360, 270, 50, 10, 12, 44];

/** A small plot: what is drawn in it changes as the reader moves something. */
export class Plot {
  readonly element = textElement('figure', '', 'nn-picture');
  private readonly svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' }, 'nn-plot');
  private readonly frame = shape('g', {});
  private readonly curves = shape('g', {});
  private readonly note = textElement('span', '');
  private x: Axis = NO_AXIS;
  private y: Axis = NO_AXIS;

  constructor(title: string) {
    const clip = `nn-clip-${crypto.getRandomValues(new Uint32Array(1)).join('')}`;
    const within = shape('clipPath', { id: clip });
    within.append(shape('rect', { x: LEFT - 1, y: TOP - 6, width: WIDTH - LEFT - RIGHT + 7, height: HEIGHT - TOP - BOTTOM + 12 }));
    this.curves.setAttribute('clip-path', `url(#${clip})`);
    this.svg.append(within, this.frame, this.curves);
    const caption = document.createElement('figcaption');
    caption.append(textElement('strong', title), this.note);
    this.element.append(this.svg, caption);
  }

  setAxes(x: Axis, y: Axis): void {
    [this.x, this.y] = [x, y];
    const [left, bottom] = [LEFT, HEIGHT - BOTTOM];
    const parts: SVGElement[] = [shape('path', { d: `M${left} ${TOP}V${bottom}H${WIDTH - RIGHT}` }, 'nn-axis')];
    for (const { at, text } of x.ticks) {
      const place = this.across(at);
      parts.push(shape('path', { d: `M${place} ${bottom}v4` }, 'nn-axis'), word(place, bottom + 17, text, 'middle'));
    }
    for (const { at, text } of y.ticks) {
      const place = this.upwards(at);
      parts.push(shape('path', { d: `M${left} ${place}h-4` }, 'nn-axis'), word(left - 7, place + 4, text, 'end'));
    }
    parts.push(word((left + WIDTH - RIGHT) / 2, HEIGHT - 6, x.name, 'middle'));
    const upright = word(0, 0, y.name, 'middle');
    upright.setAttribute('transform', `translate(12 ${(TOP + bottom) / 2}) rotate(-90)`);
    this.frame.replaceChildren(...parts, upright);
  }

  show(series: readonly Series[], description: string, note = ''): void {
    this.curves.replaceChildren(
      ...series.flatMap(({ points, kind, className }) => {
        const places = points.map(([x, y]) => [this.across(x), this.upwards(y)] as const);
        if (kind === 'dots') return places.map(([cx, cy]) => shape('circle', { cx, cy, r: 4 }, className));
        return [shape('path', { d: places.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('') }, `nn-curve ${className}`)];
      }),
    );
    this.svg.setAttribute('aria-label', description);
    this.note.textContent = note;
  }

  private across(x: number): number {
    const { from, to } = this.x;
    return LEFT + ((x - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  }

  /** What is far beyond the axis stays a number that can be drawn. */
  private upwards(y: number): number {
    const { from, to } = this.y;
    const share = (y - from) / (to - from);
    return HEIGHT - BOTTOM - Math.min(3, Math.max(-2, share)) * (HEIGHT - TOP - BOTTOM);
  }
}

const NO_AXIS: Axis = { name: '', from: 0, to: 1, ticks: [] };

function word(x: number, y: number, text: string, anchor: string): SVGElement {
  const element = shape('text', { x, y, 'text-anchor': anchor });
  element.textContent = text;
  return element;
}

/** Ticks at every so many. */
export function ticks(from: number, to: number, step: number): Axis['ticks'] {
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to + 1e-9; at += step) found.push({ at, text: String(Number(at.toFixed(6))) });
  return found;
}
