import type { Frame } from './axes';
import type { Places } from './geometry';
import { NO_VALUE } from './colours';

/** Points counted in the squares of a grid, row by row. */
export interface Density {
  columns: number;
  rows: number;
  counts: Uint32Array;
  /** How many of them are inside the lasso: all without one. */
  inside: Uint32Array;
  /** The sum of the levels of those inside. */
  sums: Float32Array;
}

/** Counts points in squares of `side` CSS pixels of a frame; a level that is none counts as the middle one. */
export function binnedPoints({ x, y }: Places, levels: Uint8Array, within: Uint8Array | null, frame: Frame, side: number): Density {
  const [columns, rows] = [Math.ceil(frame.width / side), Math.ceil(frame.height / side)];
  const counts = new Uint32Array(columns * rows);
  const inside = within ? new Uint32Array(columns * rows) : counts;
  const sums = new Float32Array(columns * rows);
  const { left, top } = frame;
  const [right, bottom, { length }] = [left + columns * side, top + rows * side, x];
  for (let at = 0; at < length; at++) {
    const across = x[at] ?? 0;
    const down = y[at] ?? 0;
    if (!(across >= left && down >= top && across < right && down < bottom)) continue;
    // Cut off, not rounded down: of what is not below zero that is the same, in half the time.
    const bin = (((down - top) / side) | 0) * columns + (((across - left) / side) | 0);
    counts[bin] = (counts[bin] ?? 0) + 1;
    if (within && within[at] !== 1) continue;
    if (within) inside[bin] = (inside[bin] ?? 0) + 1;
    const level = levels[at] ?? NO_VALUE;
    sums[bin] = (sums[bin] ?? 0) + (level === NO_VALUE ? NO_VALUE / 2 : level);
  }
  return { columns, rows, counts, inside, sums };
}
