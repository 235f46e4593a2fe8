import { margin as MARGIN } from '../../src/nnbook/figures/count_brightness.json';

/** The part of the plane that is shown, in nuclei (x) and grey levels (y). */
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

/** How far one can zoom in, as a share of what all points span. */
const CLOSEST = 1 / 400;

/** The part of the plane that holds all points. */
export function homeAxes(points: Iterable<Place>): Axes {
  const all = { x0: Infinity, x1: -Infinity, y0: Infinity, y1: -Infinity };
  for (const { x, y } of points) {
    all.x0 = Math.min(all.x0, x);
    all.x1 = Math.max(all.x1, x);
    all.y0 = Math.min(all.y0, y);
    all.y1 = Math.max(all.y1, y);
  }
  const pad = (from: number, to: number): [number, number] => {
    const margin = to > from ? (to - from) * MARGIN : Math.max(Math.abs(to) * MARGIN, 1);
    return [from - margin, to + margin];
  };
  if (all.x0 > all.x1) return { x0: 0, x1: 1, y0: 0, y1: 1 };
  const [x0, x1] = pad(all.x0, all.x1);
  const [y0, y1] = pad(all.y0, all.y1);
  return { x0, x1, y0, y1 };
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

/** Moves what is shown by a distance in nuclei and grey levels. */
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
  for (let at = Math.ceil(from / step); at * step <= to; at++) values.push(at * step);
  return { values, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/** A value with no more digits than a quarter of a pixel needs. */
export function shortened(value: number, perPixel: number): number {
  const digits = Math.min(8, Math.max(0, Math.ceil(-Math.log10(perPixel / 4))));
  return Number(value.toFixed(digits));
}
