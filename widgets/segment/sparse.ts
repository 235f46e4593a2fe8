import { components, ELLIPSE_5, medianBlur5, opening } from './filters';
import { median, percentile, weightedMedian, type Floats, type Image } from './plane';

/* Nuclei that cover so little of an image that percentiles of its grey levels miss them: `nnbook.segmentation.sparse`. */

const LEAST_CONTRAST = 4;
const NOISE_SDS = 5;
const DIMMEST = 1e-3;
const DISC_PX = 5;
const BLOCK_ROWS = 256;
const SAMPLED_PX = 500_000;
const FITTED_PX = 30_000;
const FITS = 5;

/** By how much light may be less between 65 columns than at them. */
const LIGHT_SLACK = 1e-3;

/** Uneven light: factors of 1, y, x, y squared, y x and x squared, where y and x go from 0 to 1 over the image. */
type Shading = readonly number[];

/** The grey level of nuclei that are far brighter than the 99th percentile; null where there are none. */
export function sparseLevel(image: Image, [low, high]: readonly [number, number]): number | null {
  const { width, height } = image;
  const step = Math.max(1, Math.floor(Math.sqrt(Math.floor((width * height) / SAMPLED_PX))));
  const greys = between(image, low, high, step);
  const smooth = medianBlur5(greys);
  const pixelNoise = percentile(greys.data.map((value, at) => value - (smooth.data[at] ?? 0)), 99);
  const shading = fitShading(smooth);
  let [leastLight, sumLight] = [Infinity, 0];
  for (let y = 0, at = 0; y < smooth.height; y++) {
    for (let x = 0; x < smooth.width; x++, at++) {
      const light = lightAt(shading, spaced(y, smooth.height), spaced(x, smooth.width));
      leastLight = Math.min(leastLight, light);
      sumLight += light;
      smooth.data[at] = (smooth.data[at] ?? 0) - light;
    }
  }
  const [least, middle, most] = [1, 50, 99].map((share) => percentile(smooth.data, share)) as [number, number, number];
  const needed = middle + LEAST_CONTRAST * (most - least);
  if (!exceeds(image, low + (high - low) * (needed + leastLight))) return null;
  // The 1st percentile of a normal distribution is 2.33 standard deviations below its median.
  const above = Math.max((NOISE_SDS * (middle - least)) / 2.33, pixelNoise, DIMMEST * (1 - middle));
  const { levels, diameters } = brightComponents(image, low, high, shading, middle + above);
  if (levels.length === 0) return null;
  const typical = weightedMedian(levels, diameters);
  return typical > needed ? low + (high - low) * (typical + sumLight / smooth.data.length) : null;
}

function spaced(at: number, count: number): number {
  return count === 1 ? 0 : at / (count - 1);
}

function lightAt(shading: Shading, y: number, x: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = shading;
  return Math.fround(a + b * y + d * y * y + (c + e * y) * x + f * x * x);
}

/** Grey levels of some rows, with `low` at 0 and `high` at 1. */
function between({ width, height, data }: Image, low: number, high: number, step: number, from = 0, to = height): Floats {
  const [columns, rows] = [Math.ceil(width / step), Math.ceil((to - from) / step)];
  const out = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) out[y * columns + x] = ((data[(from + y * step) * width + x * step] ?? 0) - low) / (high - low);
  return { width: columns, height: rows, data: out };
}

/** Blocks of rows with a margin for the median filter: which rows, and the first and last of the block. */
function* blocksOf(height: number): Generator<{ top: number; end: number; first: number; last: number }> {
  const margin = DISC_PX >> 1;
  for (let top = 0; top < height; top += BLOCK_ROWS) {
    const end = Math.min(top + BLOCK_ROWS, height);
    yield { top, end, first: Math.max(0, top - margin), last: Math.min(height, end + margin) };
  }
}

/** Whether the smoothed image exceeds a level anywhere: the median of pixels does where most of them do. */
function exceeds({ width, height, data }: Image, level: number): boolean {
  const clamp = (at: number, length: number) => Math.min(Math.max(at, 0), length - 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((data[y * width + x] ?? 0) <= level) continue;
      for (let v = Math.max(0, y - 2); v <= Math.min(height - 1, y + 2); v++) {
        for (let u = Math.max(0, x - 2); u <= Math.min(width - 1, x + 2); u++) {
          let count = 0;
          for (let j = -2; j <= 2; j++) for (let i = -2; i <= 2; i++) if ((data[clamp(v + j, height) * width + clamp(u + i, width)] ?? 0) > level) count++;
          if (count > 12) return true;
        }
      }
    }
  }
  return false;
}

/** Fits uneven light to an image, less and less to what is brighter than it. */
function fitShading({ width, height, data }: Floats): Shading {
  const step = Math.max(1, Math.floor(Math.sqrt(Math.floor((width * height) / FITTED_PX))));
  const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
  const levels: number[] = [];
  const terms: number[][] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [y, x] = [spaced(row, rows), spaced(column, columns)];
      levels.push(data[row * step * width + column * step] ?? 0);
      terms.push([1, y, x, y * y, y * x, x * x]);
    }
  }
  const bound = percentile(levels, 95);
  let kept = levels.map((level) => level <= bound);
  let factors: number[] = [0, 0, 0, 0, 0, 0];
  for (let fit = 0; fit < FITS; fit++) {
    factors = leastSquares(terms, levels, kept);
    const rest = levels.map((level, at) => level - (terms[at] ?? []).reduce((sum, term, k) => sum + term * (factors[k] ?? 0), 0));
    const centre = median(rest.filter((_, at) => kept[at]));
    const spread = median(rest.filter((_, at) => kept[at]).map((value) => Math.abs(value - centre)));
    const most = Math.max(4 * 1.4826 * spread, 1e-9);
    kept = rest.map((value) => Math.abs(value - centre) <= most);
  }
  return factors;
}

/** Solves the normal equations; terms that nothing depends on, as of an image of one row, get 0. */
function leastSquares(terms: number[][], levels: number[], kept: boolean[]): number[] {
  const size = 6;
  const matrix = Array.from({ length: size }, () => new Float64Array(size + 1));
  terms.forEach((term, at) => {
    if (!kept[at]) return;
    matrix.forEach((row, i) => {
      for (let j = 0; j < size; j++) row[j] = (row[j] ?? 0) + (term[i] ?? 0) * (term[j] ?? 0);
      row[size] = (row[size] ?? 0) + (term[i] ?? 0) * (levels[at] ?? 0);
    });
  });
  const pivots: (number | null)[] = [];
  const used = new Set<number>();
  const largest = Math.max(...matrix.map((row, at) => Math.abs(row[at] ?? 0)));
  for (let column = 0; column < size; column++) {
    const free = matrix.map((_, at) => at).filter((at) => !used.has(at));
    const best = free.reduce((one, at) => (Math.abs(matrix[at]?.[column] ?? 0) > Math.abs(matrix[one]?.[column] ?? 0) ? at : one), free[0] ?? 0);
    const pivot = matrix[best];
    const head = pivot?.[column] ?? 0;
    if (!pivot || Math.abs(head) < 1e-12 * largest) {
      pivots.push(null);
      continue;
    }
    used.add(best);
    pivots.push(best);
    matrix.forEach((row, at) => {
      if (at === best) return;
      const times = (row[column] ?? 0) / head;
      for (let k = column; k <= size; k++) row[k] = (row[k] ?? 0) - times * (pivot[k] ?? 0);
    });
  }
  return pivots.map((at, column) => (at === null ? 0 : (matrix[at]?.[size] ?? 0) / (matrix[at]?.[column] ?? 1)));
}

/** Greatest level and diameter, of a circle of its area, of each component with room for a disc. */
function brightComponents(image: Image, low: number, high: number, shading: Shading, threshold: number): { levels: number[]; diameters: number[] } {
  const { width, height } = image;
  const found: { levels: number[]; diameters: number[] } = { levels: [], diameters: [] };
  for (const { top, end, first, last } of blocksOf(height)) {
    const rows = end - top;
    let leastLight = Infinity;
    for (let y = top; y < end; y++) {
      for (let x = 0; x <= 64; x++) leastLight = Math.min(leastLight, lightAt(shading, spaced(y, height), x / 64));
    }
    const smooth = medianBlur5(between(image, low, high, 1, first, last), threshold + leastLight - LIGHT_SLACK);
    const inner = smooth.data.subarray((top - first) * width, (end - first) * width);
    for (let y = 0, at = 0; y < rows; y++) {
      for (let x = 0; x < width; x++, at++) inner[at] = (inner[at] ?? 0) - lightAt(shading, spaced(top + y, height), spaced(x, width));
    }
    const bright = Uint8Array.from(inner, (value) => (value > threshold ? 1 : 0));
    if (!bright.some((value) => value === 1)) continue;
    const foreground = opening({ width, height: rows, data: bright }, ELLIPSE_5);
    const parts = components(foreground, 8);
    const greatest = new Float64Array(parts.count).fill(-Infinity);
    inner.forEach((value, at) => {
      const part = parts.labels.data[at] ?? 0;
      if (foreground.data[at] && value > (greatest[part] ?? 0)) greatest[part] = value;
    });
    for (let part = 1; part < parts.count; part++) {
      found.levels.push(greatest[part] ?? 0);
      found.diameters.push(2 * Math.sqrt((parts.areas[part] ?? 0) / Math.PI));
    }
  }
  return found;
}
