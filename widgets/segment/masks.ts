import { fillHoles, flowErrors, followFlows, logitOf, type Output } from './dynamics';
import { dilate, gaussianBlur } from './filters';
import { backgroundGrey, joinComponents, labelsAtEdge } from './grouping';
import { areasOf, highest, median, sumsOf, type Floats, type Image, type Labels } from './plane';

/*
 * From the network's output to masks, as `nnbook.segmentation.masks` makes them. Masks stay at the network's scale; any
 * part of them is drawn at full resolution when it is wanted, so that no label image of a whole panorama is kept.
 */

const MIN_AREA_PX = 15;
const LEAST_CONFIDENCE = 1.5;
const LEAST_SHARE = 0.35;
const CONDENSED_AREA = 0.5;
const CONDENSED_GREY = 0.6;
const CONDENSED_ERROR = 0.2;
const CONDENSED_CONFIDENCE = 1;
const CONFIDENCE = [1.92, 0.514, -9.84, 0.45] as const;
const BORDER_SD_PX = 0.9;
const KERNEL_PX = 2;
const MOST_LABELS = 8;
const UNSURE_SD_PX = 0.8;
const SIDE = 2 * KERNEL_PX + 1;
const KERNEL = Float32Array.from({ length: SIDE * SIDE }, (_, at) => {
  const [i, j] = [Math.floor(at / SIDE) - KERNEL_PX, (at % SIDE) - KERNEL_PX];
  return Math.exp(-(i * i) / (2 * BORDER_SD_PX ** 2)) * Math.exp(-(j * j) / (2 * BORDER_SD_PX ** 2));
});

/** What decides which pixels and masks are kept. */
export interface Thresholds {
  flow: number;
  cellprob: number;
}

/** What the network made of an image, and the image itself at the network's scale. */
export interface Seen {
  output: Output;
  grey: Floats;
  /** Diameter of a nucleus at this scale. */
  diameter: number;
}

/** Masks at the network's scale, and how likely each is right. */
export interface SmallMasks {
  labels: Labels;
  confidence: Float64Array;
}

/** Turns the network's output into masks at its scale. */
export function smallMasks({ output, grey, diameter }: Seen, thresholds: Thresholds): SmallMasks {
  const logit = logitOf(output);
  const { labels, errors: found } = computeMasks(output, thresholds);
  const pairs = joinComponents(labels, grey, diameter);
  // Pairs of which the network sees neither half have no flow that could differ.
  const errors = new Float64Array(Math.max(found.length, highest(labels.data) + 1));
  errors.set(found);
  dropLowConfidence(labels, logit, thresholds.cellprob, new Set(pairs), condensed(labels, grey, errors));
  return { labels, confidence: estimateConfidence(labels, logit, thresholds.cellprob, errors) };
}

/** Masks by Cellpose's dynamics alone, and the flow error of each. */
export function computeMasks(output: Output, { flow, cellprob }: Thresholds): { labels: Labels; errors: Float64Array } {
  const labels = followFlows(output, cellprob);
  const errors = flowErrors(labels, output);
  if (flow > 0) {
    const wrong = errors.map((error) => (error > flow ? 1 : 0));
    for (let at = 0; at < labels.data.length; at++) if (wrong[labels.data[at] ?? 0]) labels.data[at] = 0;
    errors.forEach((_, label) => {
      if (wrong[label]) errors[label] = 0;
    });
  }
  fillHoles(labels);
  return { labels, errors };
}

/** The labels of small, bright, compact masks: metaphases, of which the network is less certain. */
function condensed(labels: Labels, grey: Floats, errors: Float64Array): Set<number> {
  const areas = areasOf(labels.data, errors.length - 1);
  const masks = labelled(areas);
  if (masks.length === 0) return new Set();
  const background = backgroundGrey(labels, grey);
  const greys = sumsOf(labels.data, grey.data, areas.length - 1).map((sum, label) => sum / Math.max(areas[label] ?? 0, 1) - background);
  const area = CONDENSED_AREA * median(masks.map((label) => areas[label] ?? 0));
  const bright = CONDENSED_GREY * median(masks.map((label) => greys[label] ?? 0));
  return new Set(masks.filter((label) => (areas[label] ?? 0) <= area && (greys[label] ?? 0) >= bright && (errors[label] ?? 0) <= CONDENSED_ERROR));
}

function dropLowConfidence(labels: Labels, logit: Float32Array, threshold: number, pairs: Set<number>, condensedOnes: Set<number>): void {
  const { data } = labels;
  const areas = areasOf(data);
  const masks = labelled(areas);
  if (masks.length === 0) return;
  const sums = sumsOf(data, logit, areas.length - 1);
  const confidence = Array.from(areas, (area, label) => (sums[label] ?? 0) / Math.max(area, 1) - threshold);
  const usual = Math.max(LEAST_CONFIDENCE, LEAST_SHARE * median(masks.map((label) => confidence[label] ?? 0)));
  const atEdge = labelsAtEdge(labels);
  const dropped = confidence.map(
    (value, label) => value < (condensedOnes.has(label) ? CONDENSED_CONFIDENCE : usual) && !pairs.has(label) && !atEdge.has(label),
  );
  for (let at = 0; at < data.length; at++) if (dropped[data[at] ?? 0]) data[at] = 0;
}

/** How likely each mask is right: the probability that a nucleus has an intersection over union of more than 0.5 with it. */
function estimateConfidence(labels: Labels, logit: Float32Array, threshold: number, errors: Float64Array): Float64Array {
  const areas = areasOf(labels.data, errors.length - 1);
  const sums = sumsOf(labels.data, logit, errors.length - 1);
  const masks = labelled(areas);
  const usual = median(masks.map((label) => areas[label] ?? 0));
  const [constant, byMargin, byError, byArea] = CONFIDENCE;
  const result = new Float64Array(errors.length);
  for (const label of masks) {
    const area = areas[label] ?? 1;
    const margin = (sums[label] ?? 0) / area - threshold;
    const smaller = Math.min(Math.log2(area / usual), 0);
    result[label] = 1 / (1 + Math.exp(-(constant + byMargin * margin + byError * (errors[label] ?? 0) + byArea * smaller)));
  }
  return result;
}

function labelled(areas: Float64Array): number[] {
  const found: number[] = [];
  for (let label = 1; label < areas.length; label++) if ((areas[label] ?? 0) > 0) found.push(label);
  return found;
}

/** A nucleus at full resolution. */
export interface Nucleus {
  /** Its number: nuclei are numbered by their first pixel, row by row. */
  roi: number;
  /** Pixels, and where they are. */
  area: number;
  left: number;
  top: number;
  width: number;
  height: number;
  /** Centroid in px; the middle of the first pixel is at 0. */
  x: number;
  y: number;
  /** Mean and standard deviation of its grey levels. */
  mean: number;
  sd: number;
  /** How likely its mask is right; null for one that was drawn by hand. */
  confidence: number | null;
}

/** A number for each of four pixels. */
type Four = [number, number, number, number];

/** Masks that are drawn at full resolution, part by part. */
export class FullMasks {
  private readonly counted: Int32Array;
  private readonly borders: Uint8Array;
  private readonly logit: Float32Array;
  private readonly rows: Neighbours;
  private readonly columns: Neighbours;
  /** The number of each label of the small masks; 0 for one that has too few pixels. */
  private numbers: Int32Array;

  constructor(
    private readonly small: SmallMasks,
    logit: Float32Array,
    private readonly threshold: number,
    readonly width: number,
    readonly height: number,
  ) {
    const { labels } = small;
    this.logit = withUnsurePixels(labels, logit, threshold);
    // Pixels above the threshold but in no mask count among the four as -1, which becomes background.
    this.counted = labels.data.map((label, at) => (label === 0 && (this.logit[at] ?? 0) > threshold ? -1 : label));
    this.borders = bordersOf({ ...labels, data: this.counted });
    this.rows = neighbours(labels.height, height);
    this.columns = neighbours(labels.width, width);
    this.numbers = Int32Array.from({ length: highest(labels.data) + 1 }, (_, label) => label);
  }

  /** Numbers the nuclei and measures them in the image, dropping those of too few pixels; `pause` lets others go on. */
  *measure(image: Image): Generator<number, Nucleus[]> {
    const { height, numbers, small, width } = this;
    const count = numbers.length;
    const [areas, firsts] = [new Float64Array(count), new Float64Array(count).fill(-1)];
    const [sumX, sumY, sums, squares] = [0, 1, 2, 3].map(() => new Float64Array(count)) as [Float64Array, Float64Array, Float64Array, Float64Array];
    const [left, right, top, bottom] = [new Int32Array(count).fill(width), new Int32Array(count), new Int32Array(count), new Int32Array(count)];
    const own = numbers.map((_, label) => label);
    const line = new Int32Array(width);
    for (let y = 0; y < height; y++) {
      this.drawRow(y, 0, width, 1, line, 0, own);
      const row = y * width;
      for (let x = 0; x < width; x++) {
        const label = line[x] ?? 0;
        if (label === 0) continue;
        if (areas[label] === 0) {
          firsts[label] = row + x;
          top[label] = y;
        }
        areas[label] = (areas[label] ?? 0) + 1;
        sumX[label] = (sumX[label] ?? 0) + x;
        sumY[label] = (sumY[label] ?? 0) + y;
        const grey = image.data[row + x] ?? 0;
        sums[label] = (sums[label] ?? 0) + grey;
        squares[label] = (squares[label] ?? 0) + grey * grey;
        if (x < (left[label] ?? 0)) left[label] = x;
        if (x >= (right[label] ?? 0)) right[label] = x + 1;
        bottom[label] = y + 1;
      }
      if (y % 64 === 63) yield (y + 1) / height;
    }
    const kept = own.filter((label) => (areas[label] ?? 0) >= MIN_AREA_PX).sort((a, b) => (firsts[a] ?? 0) - (firsts[b] ?? 0));
    this.numbers = new Int32Array(count);
    kept.forEach((label, at) => (this.numbers[label] = at + 1));
    return Array.from(kept, (label, at) => {
      const area = areas[label] ?? 1;
      const mean = (sums[label] ?? 0) / area;
      return {
        roi: at + 1,
        area,
        left: left[label] ?? 0,
        top: top[label] ?? 0,
        width: (right[label] ?? 0) - (left[label] ?? 0),
        height: (bottom[label] ?? 0) - (top[label] ?? 0),
        x: (sumX[label] ?? 0) / area,
        y: (sumY[label] ?? 0) / area,
        mean,
        sd: Math.sqrt(Math.max(0, (squares[label] ?? 0) / area - mean * mean)),
        confidence: small.confidence[label] ?? null,
      };
    });
  }

  /** Every `step`th pixel of every `step`th row of a part of the masks. */
  part(left: number, top: number, columns: number, rows: number, step = 1): Labels {
    const data = new Int32Array(columns * rows);
    for (let y = 0; y < rows; y++) this.drawRow(top + y * step, left, left + (columns - 1) * step + 1, step, data, y * columns, this.numbers);
    return { width: columns, height: rows, data };
  }

  private drawRow(y: number, from: number, to: number, step: number, out: Int32Array, at: number, numbers: Int32Array): void {
    const { columns, counted, logit, rows, small, threshold } = this;
    const { width, height } = small.labels;
    const [topRow, v] = [rows.first[y] ?? 0, rows.part[y] ?? 0];
    const bottomRow = topRow + Math.min(1, height - 1);
    const beside = Math.min(1, width - 1);
    const w = 1 - v;
    for (let x = from; x < to; x += step, at++) {
      const left = columns.first[x] ?? 0;
      const p = topRow * width + left;
      const [q, r, s] = [p + beside, bottomRow * width + left, bottomRow * width + left + beside];
      const a = counted[p] ?? 0;
      const b = counted[q] ?? 0;
      const c = counted[r] ?? 0;
      const d = counted[s] ?? 0;
      const one = Math.max(a, b, c, d);
      const several = this.borders[p] === 1 && one !== 0;
      if (a === b && a === c && a === d && !several) {
        out[at] = numbers[Math.max(a, 0)] ?? 0;
        continue;
      }
      const u = columns.part[x] ?? 0;
      const t = 1 - u;
      const parts: Four = [t * w, u * w, t * v, u * v];
      const level = (logit[p] ?? 0) * parts[0] + (logit[q] ?? 0) * parts[1] + (logit[r] ?? 0) * parts[2] + (logit[s] ?? 0) * parts[3];
      if (level <= threshold) {
        out[at] = 0;
        continue;
      }
      // Beside background there is one mask, or pixels of none.
      const best = several ? this.heaviest(topRow, left, bottomRow, left + beside, parts) : one === 0 ? Math.min(a, b, c, d) : one;
      out[at] = numbers[Math.max(best, 0)] ?? 0;
    }
  }

  private weighed = -1;
  private readonly present = new Int32Array(MOST_LABELS);
  private readonly weights = new Float32Array(MOST_LABELS * 4);
  private labelsPresent = 0;

  /** The label that has most weight at a place between four pixels. */
  private heaviest(top: number, left: number, bottom: number, right: number, parts: Four): number {
    const { present, weights } = this;
    const { width } = this.small.labels;
    if (this.weighed !== top * width + left) {
      this.weighed = top * width + left;
      this.weigh(top, left, bottom, right);
    }
    let [best, most] = [present[0] ?? 0, -1];
    for (let k = 0; k < this.labelsPresent; k++) {
      let weight = 0;
      for (let corner = 0; corner < 4; corner++) weight += (weights[4 * k + corner] ?? 0) * (parts[corner] ?? 0);
      const label = present[k] ?? 0;
      if (weight > most || (weight === most && label < best)) [best, most] = [label, weight];
    }
    return best;
  }

  private weigh(top: number, left: number, bottom: number, right: number): void {
    const { counted, present, weights } = this;
    const { width, height } = this.small.labels;
    weights.fill(0);
    let count = 0;
    for (let corner = 0; corner < 4; corner++) {
      const row = corner < 2 ? top : bottom;
      const column = corner % 2 === 0 ? left : right;
      for (let i = -KERNEL_PX; i <= KERNEL_PX; i++) {
        const y = Math.min(Math.max(row + i, 0), height - 1);
        for (let j = -KERNEL_PX; j <= KERNEL_PX; j++) {
          const label = counted[y * width + Math.min(Math.max(column + j, 0), width - 1)] ?? 0;
          if (label === 0) continue;
          let k = 0;
          while (k < count && present[k] !== label) k++;
          if (k === count) {
            if (count === MOST_LABELS) continue;
            present[k] = label;
            count++;
          }
          weights[4 * k + corner] = (weights[4 * k + corner] ?? 0) + (KERNEL[(i + KERNEL_PX) * SIDE + j + KERNEL_PX] ?? 0);
        }
      }
    }
    this.labelsPresent = count;
  }
}

/** For each pixel at full resolution the network's pixel before its centre, and how far it is to the next. */
interface Neighbours {
  first: Int32Array;
  part: Float32Array;
}

function neighbours(small: number, large: number): Neighbours {
  const [first, part] = [new Int32Array(large), new Float32Array(large)];
  for (let at = 0; at < large; at++) {
    const place = Math.min(small - 1, Math.max(0, (at + 0.5) * (small / large) - 0.5));
    first[at] = Math.min(Math.trunc(place), Math.max(0, small - 2));
    part[at] = place - (first[at] ?? 0);
  }
  return { first, part };
}

/** Which squares of four pixels have pixels of different masks within the kernel's reach. */
function bordersOf({ width, height, data }: Labels): Uint8Array {
  const borders = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const label = data[y * width + x] ?? 0;
      if (label === 0) continue;
      const [right, below] = [Math.min(x + 1, width - 1), Math.min(y + 1, height - 1)];
      const near = [y * width + right, below * width + x, below * width + right, below * width + Math.max(x - 1, 0)];
      if (!near.some((at) => data[at] !== 0 && data[at] !== label)) continue;
      for (let i = Math.max(0, y - KERNEL_PX - 1); i < Math.min(height, y + KERNEL_PX + 2); i++) {
        borders.fill(1, i * width + Math.max(0, x - KERNEL_PX - 1), i * width + Math.min(width, x + KERNEL_PX + 2));
      }
    }
  }
  return borders;
}

/** The logit, changed at pixels of masks below the threshold: where these end the network does not say. */
function withUnsurePixels(labels: Labels, logit: Float32Array, threshold: number): Float32Array {
  const { width, height, data } = labels;
  const unsure = Uint8Array.from(data, (label, at) => (label > 0 && (logit[at] ?? 0) <= threshold ? 1 : 0));
  if (!unsure.some((value) => value === 1)) return logit;
  const near = dilate({ width, height, data: unsure }, 1).data;
  const blurred = gaussianBlur({ width, height, data: Float32Array.from(data, (label) => (label > 0 ? 1 : 0)) }, UNSURE_SD_PX, 5).data;
  return logit.map((value, at) => {
    const level = threshold + 4 * ((blurred[at] ?? 0) - Math.fround(0.4));
    if (unsure[at]) return Math.max(level, threshold + 0.2);
    return near[at] && data[at] === 0 && value <= threshold ? Math.min(level, threshold - 0.2) : value;
  });
}
