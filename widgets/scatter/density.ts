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
  const [left, top] = [frame.left, frame.top];
  for (let at = 0; at < x.length; at++) {
    const column = Math.floor(((x[at] ?? 0) - left) / side);
    const row = Math.floor(((y[at] ?? 0) - top) / side);
    if (!(column >= 0 && row >= 0 && column < columns && row < rows)) continue;
    const bin = row * columns + column;
    counts[bin] = (counts[bin] ?? 0) + 1;
    if (within && within[at] !== 1) continue;
    if (within) inside[bin] = (inside[bin] ?? 0) + 1;
    const level = levels[at] ?? NO_VALUE;
    sums[bin] = (sums[bin] ?? 0) + (level === NO_VALUE ? NO_VALUE / 2 : level);
  }
  return { columns, rows, counts, inside, sums };
}
