import { percentile, type Floats, type Image } from './plane';
import { sparseLevel } from './sparse';

/* An image at the network's scale, as `nnbook.segmentation.scale` brings it there. */

const PERCENTILES = [1, 99] as const;
const SAMPLED_PX = 2_000_000;
const PLAIN_RANGE = 2;

/** The least and the greatest of an image's grey levels. */
export function extent({ data }: Image): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of data) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** Every `step`th pixel of every `step`th row. */
export function sampled({ width, height, data }: Image, step: number): { width: number; height: number; data: Float64Array } {
  const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
  const out = new Float64Array(columns * rows);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) out[y * columns + x] = data[y * step * width + x * step] ?? 0;
  return { width: columns, height: rows, data: out };
}

/** The grey levels that are to become 0 and 1. */
export function greyRange(image: Image): [number, number] {
  const size = image.width * image.height;
  const step = Math.max(1, Math.floor(Math.sqrt(Math.floor(size / SAMPLED_PX))));
  const { data } = sampled(image, step);
  const [low, high] = [percentile(data, PERCENTILES[0]), percentile(data, PERCENTILES[1])];
  const [least, most] = extent(image);
  if (most - low > PLAIN_RANGE * (high - low)) {
    const level = sparseLevel(image, [least, most]);
    if (level !== null && level > high) return [low, level];
  }
  return low < high ? [low, high] : [least, most];
}

/** Brings an image, or a part of one, to another size, and grey levels `low` and `high` to 0 and 1. */
export function rescale({ width, height, data }: Image, size: { width: number; height: number }, low = 0, high = 1): Floats {
  const rows = weightsOf(height, size.height);
  const columns = weightsOf(width, size.width);
  const gain = Math.fround(1 / (high > low ? high - low : 1));
  const out = new Float32Array(size.width * size.height);
  const line = new Float32Array(width);
  for (let y = 0; y < size.height; y++) {
    line.fill(0);
    for (let tap = 0; tap < rows.taps; tap++) {
      const weight = rows.weights[y * rows.taps + tap] ?? 0;
      if (weight <= 0) continue;
      const from = ((rows.first[y] ?? 0) + tap) * width;
      for (let x = 0; x < width; x++) line[x] = (line[x] ?? 0) + Math.fround(weight * Math.fround((data[from + x] ?? 0) - low));
    }
    for (let x = 0; x < size.width; x++) {
      let total = 0;
      for (let tap = 0; tap < columns.taps; tap++) {
        total = Math.fround(total + Math.fround((columns.weights[x * columns.taps + tap] ?? 0) * (line[(columns.first[x] ?? 0) + tap] ?? 0)));
      }
      out[y * size.width + x] = total * gain;
    }
  }
  return { ...size, data: out };
}

/** For each new pixel the first old one that has weight, and the weights of that one and the next ones. */
function weightsOf(old: number, fresh: number): { first: Int32Array; weights: Float32Array; taps: number } {
  const step = old / fresh;
  const half = Math.max(step, 1);
  const taps = Math.min(old, 2 * Math.ceil(half) + 1);
  const first = new Int32Array(fresh);
  const weights = new Float32Array(fresh * taps);
  for (let at = 0; at < fresh; at++) {
    const centre = (at + 0.5) * step - 0.5;
    const start = Math.min(Math.max(Math.ceil(centre - half), 0), old - taps);
    first[at] = start;
    const own = Array.from({ length: taps }, (_, tap) => Math.max(0, 1 - Math.abs(start + tap - centre) / half));
    const sum = own.reduce((total, weight) => total + weight, 0);
    own.forEach((weight, tap) => (weights[at * taps + tap] = weight / sum));
  }
  return { first, weights, taps };
}
