import { areasOf, boxesOf, highest, type Labels } from './plane';

/*
 * From flows to masks, as `nnbook.segmentation.dynamics` has it: the method of Cellpose 3 (Stringer et al. 2021,
 * doi:10.1038/s41592-020-01018-x).
 */

const ITERATIONS = 200;
const LARGEST_SHARE = 0.4;
const SEED_RADIUS = 2;
const SEED_PX = 10;
const SINK_RADIUS = 5;
const SINK_PX = 2;

/** What the network gives, at its scale: flow y, flow x and logit of the cell probability, one after another. */
export interface Output {
  width: number;
  height: number;
  channels: Float32Array;
}

export function logitOf({ width, height, channels }: Output): Float32Array {
  return channels.subarray(2 * width * height, 3 * width * height);
}

/** Gives pixels that end together one label. */
export function followFlows({ width, height, channels }: Output, threshold: number): Labels {
  const size = width * height;
  const [downwards, across] = [new Float32Array(size), new Float32Array(size)];
  const inside: number[] = [];
  for (let at = 0; at < size; at++) {
    if ((channels[2 * size + at] ?? 0) <= threshold) continue;
    inside.push(at);
    downwards[at] = (channels[at] ?? 0) / 5;
    across[at] = (channels[size + at] ?? 0) / 5;
  }
  const counts = new Int32Array(size);
  const ends = Int32Array.from(inside, (start) => {
    const end = endOf(start, downwards, across, width, height);
    counts[end] = (counts[end] ?? 0) + 1;
    return end;
  });
  // Where masks meet, the one with the most pixels at its seed gets them: it is drawn last.
  const seeds = seedsOf(counts, width, height).sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0));
  const sinks = sinksOf(counts, seeds, width, height);
  const labels = new Int32Array(size);
  inside.forEach((at, k) => (labels[at] = sinks[ends[k] ?? 0] ?? 0));
  const areas = areasOf(labels);
  areas[0] = 0;
  for (let at = 0; at < size; at++) if ((areas[labels[at] ?? 0] ?? 0) > size * LARGEST_SHARE) labels[at] = 0;
  return { width, height, data: labels };
}

/** Where a pixel ends that follows the flow; every number is rounded to 32 bits, as in Python. */
function endOf(start: number, downwards: Float32Array, across: Float32Array, width: number, height: number): number {
  const { fround } = Math;
  let y = Math.floor(start / width);
  let x = start % width;
  for (let step = 0; step < ITERATIONS; step++) {
    const [top, left] = [Math.trunc(y), Math.trunc(x)];
    const [v, u] = [fround(y - top), fround(x - left)];
    const [bottom, right] = [Math.min(height - 1, top + 1), Math.min(width - 1, left + 1)];
    const [w, t] = [fround(1 - v), fround(1 - u)];
    const [a, b, c, d] = [fround(w * t), fround(w * u), fround(v * t), fround(v * u)];
    const [p, q, r, s] = [top * width + left, top * width + right, bottom * width + left, bottom * width + right];
    const mean = (flow: Float32Array) =>
      fround(fround(fround(fround((flow[p] ?? 0) * a) + fround((flow[q] ?? 0) * b)) + fround((flow[r] ?? 0) * c)) + fround((flow[s] ?? 0) * d));
    const toY = Math.min(height - 1, Math.max(0, fround(y + mean(downwards))));
    const toX = Math.min(width - 1, Math.max(0, fround(x + mean(across))));
    if (toY === y && toX === x) break;
    y = toY;
    x = toX;
  }
  return Math.trunc(y) * width + Math.trunc(x);
}

function seedsOf(counts: Int32Array, width: number, height: number): number[] {
  const seeds: number[] = [];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const count = counts[at] ?? 0;
      if (count <= SEED_PX) continue;
      let most = true;
      for (let v = Math.max(0, y - SEED_RADIUS); most && v < Math.min(height, y + SEED_RADIUS + 1); v++) {
        for (let u = Math.max(0, x - SEED_RADIUS); u < Math.min(width, x + SEED_RADIUS + 1); u++) if ((counts[v * width + u] ?? 0) > count) most = false;
      }
      if (most) seeds.push(at);
    }
  }
  return seeds;
}

/** Labels the pixels where those of each mask end. */
function sinksOf(counts: Int32Array, seeds: number[], width: number, height: number): Int32Array {
  const sinks = new Int32Array(width * height);
  const side = 2 * SINK_RADIUS + 1;
  const wide = side + 2;
  seeds.forEach((seed, k) => {
    const [y, x] = [Math.floor(seed / width), seed % width];
    const reached = new Uint8Array(wide * wide);
    reached[(SINK_RADIUS + 1) * wide + SINK_RADIUS + 1] = 1;
    for (let round = 0; round < SINK_RADIUS; round++) {
      const before = reached.slice();
      for (let i = 0; i < side; i++) {
        for (let j = 0; j < side; j++) {
          const [row, column] = [y + i - SINK_RADIUS, x + j - SINK_RADIUS];
          if (row < 0 || row >= height || column < 0 || column >= width || (counts[row * width + column] ?? 0) <= SINK_PX) continue;
          let near = 0;
          for (let v = i; v < i + 3; v++) for (let u = j; u < j + 3; u++) near |= before[v * wide + u] ?? 0;
          reached[(i + 1) * wide + j + 1] = near;
        }
      }
    }
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++) if (reached[(i + 1) * wide + j + 1]) sinks[(y + i - SINK_RADIUS) * width + x + j - SINK_RADIUS] = k + 1;
    }
  });
  return sinks;
}

/** By how much the flow of each mask differs from the one that follows from its shape: mean square of unit vectors. */
export function flowErrors(labels: Labels, { channels }: Output): Float64Array {
  const { width, height, data } = labels;
  const size = width * height;
  const count = highest(data);
  const heat = heatOf(labels);
  const wide = width + 2;
  const errors = new Float64Array(count + 1);
  const areas = areasOf(data, count);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const label = data[at] ?? 0;
      if (label <= 0) continue;
      const place = (y + 1) * wide + x + 1;
      const down = (heat[place + wide] ?? 0) - (heat[place - wide] ?? 0);
      const across = (heat[place + 1] ?? 0) - (heat[place - 1] ?? 0);
      const length = 1e-60 + Math.sqrt(down * down + across * across);
      const ofY = Math.fround(down / length) - Math.fround((channels[at] ?? 0) / 5);
      const ofX = Math.fround(across / length) - Math.fround((channels[size + at] ?? 0) / 5);
      errors[label] = (errors[label] ?? 0) + ofY * ofY + ofX * ofX;
    }
  }
  return errors.map((error, label) => (error === 0 ? 0 : error / (areas[label] ?? 1)));
}

/** Heat that spreads in each mask from the pixel nearest its centroid; the plane has a margin of one pixel. */
function heatOf(labels: Labels): Float64Array {
  const { width, height, data } = labels;
  const all = new Float64Array((width + 2) * (height + 2));
  boxesOf(labels).forEach((box, label) => {
    if (!box) return;
    const { left, top, right, bottom } = box;
    const [wide, high] = [right - left + 2, bottom - top + 2];
    const share = new Float64Array(wide * high);
    let [area, sumX, sumY] = [0, 0, 0];
    for (let y = 1; y < high - 1; y++) {
      for (let x = 1; x < wide - 1; x++) {
        if (data[(top + y - 1) * width + left + x - 1] !== label) continue;
        share[y * wide + x] = 1 / 9;
        area++;
        sumX += x;
        sumY += y;
      }
    }
    let [centre, least] = [0, Infinity];
    for (let at = 0; at < share.length; at++) {
      if (share[at] === 0) continue;
      const distance = ((at % wide) - sumX / area) ** 2 + (Math.floor(at / wide) - sumY / area) ** 2;
      if (distance < least) [centre, least] = [at, distance];
    }
    const heat = spread(share, centre, wide, high);
    for (let y = 0; y < high; y++) {
      for (let x = 0; x < wide; x++) if (share[y * wide + x] !== 0) all[(top + y) * (width + 2) + left + x] = heat[y * wide + x] ?? 0;
    }
  });
  return all;
}

function spread(share: Float64Array, centre: number, wide: number, high: number): Float64Array {
  const heat = new Float64Array(share.length);
  const across = new Float64Array(share.length);
  for (let step = 2 * (wide + high - 2); step > 0; step--) {
    heat[centre] = (heat[centre] ?? 0) + 1;
    for (let y = 1; y < high - 1; y++) {
      for (let at = y * wide + 1; at < (y + 1) * wide - 1; at++) across[at] = (heat[at - 1] ?? 0) + (heat[at] ?? 0) + (heat[at + 1] ?? 0);
    }
    for (let y = 1; y < high - 1; y++) {
      for (let at = y * wide + 1; at < (y + 1) * wide - 1; at++) {
        heat[at] = ((across[at - wide] ?? 0) + (across[at] ?? 0) + (across[at + wide] ?? 0)) * (share[at] ?? 0);
      }
    }
  }
  return heat;
}

/** Gives background that one mask encloses, by sides and corners of its pixels, to that mask, in place. */
export function fillHoles(labels: Labels): void {
  const { width, data } = labels;
  boxesOf(labels).forEach((box, label) => {
    if (!box) return;
    const { left, top, right, bottom } = box;
    const [wide, high] = [right - left + 2, bottom - top + 2];
    if (wide < 5 || high < 5) return;
    const outside = new Uint8Array(wide * high);
    const stack = [0];
    outside[0] = 1;
    while (stack.length > 0) {
      const at = stack.pop() ?? 0;
      const [y, x] = [Math.floor(at / wide), at % wide];
      for (const [v, u] of [[y - 1, x], [y + 1, x], [y, x - 1], [y, x + 1]] as const) {
        if (v < 0 || v >= high || u < 0 || u >= wide || outside[v * wide + u]) continue;
        const within = v >= 1 && v <= high - 2 && u >= 1 && u <= wide - 2;
        if (within && data[(top + v - 1) * width + left + u - 1] === label) continue;
        outside[v * wide + u] = 1;
        stack.push(v * wide + u);
      }
    }
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const at = y * width + x;
        if (data[at] === 0 && !outside[(y - top + 1) * wide + x - left + 1]) data[at] = label;
      }
    }
  });
}
