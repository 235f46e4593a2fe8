import { margin as MARGIN } from '../../src/nnbook/figures/count_brightness.json';

/** The part of the plane that is shown: from and to across (x) and upwards (y). */
export interface Axes {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** Where it is shown, in CSS pixels. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Place {
  x: number;
  y: number;
}

/** What points have across and upwards, a value each. */
export interface Columns {
  readonly x: readonly number[] | Float32Array | Float64Array;
  readonly y: readonly number[] | Float32Array | Float64Array;
}

/** How far one can zoom in, as a share of what all points span. */
const CLOSEST = 1 / 400;

/** The part of the plane that holds all points. */
export function homeAxes({ x, y }: Columns): Axes {
  const [[x0, x1], [y0, y1]] = [extentOf(x), extentOf(y)];
  if (x0 > x1) return { x0: 0, x1: 1, y0: 0, y1: 1 };
  const pad = (from: number, to: number): [number, number] => {
    const margin = to > from ? (to - from) * MARGIN : Math.max(Math.abs(to) * MARGIN, 1);
    return [from - margin, to + margin];
  };
  const [[left, right], [bottom, top]] = [pad(x0, x1), pad(y0, y1)];
  return { x0: left, x1: right, y0: bottom, y1: top };
}

function extentOf(values: readonly number[] | Float32Array | Float64Array): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

export function toPixels(axes: Axes, frame: Frame, { x, y }: Place): Place {
  return {
    x: frame.left + ((x - axes.x0) / (axes.x1 - axes.x0)) * frame.width,
    y: frame.top + ((axes.y1 - y) / (axes.y1 - axes.y0)) * frame.height,
  };
}

export function toData(axes: Axes, frame: Frame, { x, y }: Place): Place {
  return {
    x: axes.x0 + ((x - frame.left) / frame.width) * (axes.x1 - axes.x0),
    y: axes.y1 - ((y - frame.top) / frame.height) * (axes.y1 - axes.y0),
  };
}

/** Zooms in by a factor, `about` keeping its place on the screen. */
export function zoomed(axes: Axes, home: Axes, factor: number, about: Place): Axes {
  const [span, whole] = [axes.x1 - axes.x0, home.x1 - home.x0];
  const scale = Math.min(whole, Math.max(whole * CLOSEST, span / factor)) / span;
  const from = (start: number, at: number) => at + (start - at) * scale;
  return confined(
    { x0: from(axes.x0, about.x), x1: from(axes.x1, about.x), y0: from(axes.y0, about.y), y1: from(axes.y1, about.y) },
    home,
  );
}

/** Moves what is shown by a distance in the units of its axes. */
export function moved(axes: Axes, home: Axes, dx: number, dy: number): Axes {
  return confined({ x0: axes.x0 + dx, x1: axes.x1 + dx, y0: axes.y0 + dy, y1: axes.y1 + dy }, home);
}

/** Brings what is shown inside home, and to a size that can be looked at. */
export function confined(axes: Axes, home: Axes): Axes {
  const fit = (from: number, to: number, least: number, most: number): [number, number] => {
    const whole = most - least;
    const span = Math.min(whole, Math.max(whole * CLOSEST, to - from));
    const start = Math.min(most - span, Math.max(least, (from + to) / 2 - span / 2));
    return [start, start + span];
  };
  const [x0, x1] = fit(axes.x0, axes.x1, home.x0, home.x1);
  const [y0, y1] = fit(axes.y0, axes.y1, home.y0, home.y1);
  return { x0, x1, y0, y1 };
}

export function isHome(axes: Axes, home: Axes): boolean {
  return axes.x1 - axes.x0 > (home.x1 - home.x0) * 0.999 && axes.y1 - axes.y0 > (home.y1 - home.y0) * 0.999;
}

/** Round numbers between two ends, at most `most` of them, and the digits after the point that distinguish them. */
export function ticks(from: number, to: number, most: number): { values: number[]; digits: number } {
  const least = (to - from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= least) ?? least;
  const values: number[] = [];
  for (let at = Math.ceil(from / step); at * step <= to; at++) values.push(at * step + 0); // minus zero becomes zero
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** A value with no more digits than a quarter of a pixel needs. */
export function shortened(value: number, perPixel: number): number {
  const digits = Math.min(8, Math.max(0, Math.ceil(-Math.log10(perPixel / 4))));
  return Number(value.toFixed(digits));
}

/** A part of the plane as the state has it. */
export function listOf({ x0, x1, y0, y1 }: Axes): number[] {
  return [x0, x1, y0, y1];
}

export function axesOf([x0 = 0, x1 = 1, y0 = 0, y1 = 1]: number[]): Axes {
  return { x0, x1, y0, y1 };
}
