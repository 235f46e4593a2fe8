import type { Run } from '../cells/draw';
import { runOf } from '../cells/draw';
import { LEVELS, NO_VALUE, type Legend } from '../scatter/colours';
import { homeAxes, type Columns } from '../scatter/axes';
import { rounded } from '../shared/text';

/** Colours of nuclei: a level each, and what it means. */
export interface Colours {
  levels: Uint8Array;
  legend: Legend;
}

/** Squares of the grid in which neighbours are counted, in each direction. */
const GRID = 60;
/** Values of which quantiles are taken. */
const SAMPLED = 20_000;
const TAIL = 0.01;

/** Colours by how many nuclei there are near each. */
export function byCount(points: Columns): Colours {
  const { x0, x1, y0, y1 } = homeAxes(points);
  const { length } = points.x;
  const counts = new Uint32Array(GRID * GRID);
  const bins = new Uint16Array(length);
  const place = (value: number, from: number, to: number) => Math.min(GRID - 1, Math.floor(((value - from) / (to - from)) * GRID));
  for (let at = 0; at < length; at++) {
    const bin = place(points.y[at] ?? 0, y0, y1) * GRID + place(points.x[at] ?? 0, x0, x1);
    bins[at] = bin;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const near = smoothed(counts);
  let most = 1;
  for (const count of near) if (count > most) most = count;
  const levels = Uint8Array.from(bins, (bin) => Math.round((Math.log1p(near[bin] ?? 0) / Math.log1p(most)) * (LEVELS - 1)));
  return { levels, legend: { steps: [{ text: 'few', level: 0 }, { text: 'many', level: LEVELS - 1 }], continuous: true, missing: 0 } };
}

/** The mean of each square and those around it. */
function smoothed(counts: Uint32Array): Float32Array {
  return Float32Array.from(counts, (_, bin) => {
    const [row, column] = [Math.floor(bin / GRID), bin % GRID];
    let [sum, squares] = [0, 0];
    for (let y = Math.max(0, row - 1); y <= Math.min(GRID - 1, row + 1); y++) {
      for (let x = Math.max(0, column - 1); x <= Math.min(GRID - 1, column + 1); x++) {
        sum += counts[y * GRID + x] ?? 0;
        squares++;
      }
    }
    return sum / squares;
  });
}

/** Colours by a measurement; its lowest and highest hundredth have the colours of the ends, so that a few hide no others. */
export function byValue(cells: Uint32Array, values: Float32Array): Colours {
  const step = Math.max(1, Math.floor(cells.length / SAMPLED));
  const sample = cells.filter((cell, at) => at % step === 0 && !Number.isNaN(values[cell])).length;
  const sorted = new Float32Array(sample);
  let [taken, missing] = [0, 0];
  cells.forEach((cell, at) => {
    const value = values[cell] ?? Number.NaN;
    if (Number.isNaN(value)) missing++;
    else if (at % step === 0) sorted[taken++] = value;
  });
  sorted.sort();
  const quantile = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const [low, high] = [quantile(TAIL), quantile(1 - TAIL)];
  const levels = Uint8Array.from(cells, (cell) => {
    const value = values[cell] ?? Number.NaN;
    if (Number.isNaN(value)) return NO_VALUE;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1));
  });
  const steps = sample === 0 ? [] : [{ text: `≤ ${rounded(low)}`, level: 0 }, { text: `≥ ${rounded(high)}`, level: LEVELS - 1 }];
  return { levels, legend: { steps, continuous: true, missing } };
}

/** Colours by experiment. */
export function byRun(cells: Uint32Array, runs: Run[]): Colours {
  const levelAt = (at: number) => Math.round((runs.length > 1 ? at / (runs.length - 1) : 0.5) * (LEVELS - 1));
  const places = new Map(runs.map(({ run }, at) => [run, at]));
  const levels = Uint8Array.from(cells, (cell) => {
    const at = places.get(runOf(runs, cell) ?? -1);
    return at === undefined ? NO_VALUE : levelAt(at);
  });
  const steps = runs.map(({ run }, at) => ({ text: String(run), level: levelAt(at) }));
  const few = steps.length <= 12;
  return { levels, legend: { steps: few ? steps : steps.filter((_, at) => at === 0 || at === steps.length - 1), continuous: !few, missing: 0 } };
}
