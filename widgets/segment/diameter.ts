import { components, gaussianBlur } from './filters';
import { logitOf, type Output } from './dynamics';
import { computeMasks, type Thresholds } from './masks';
import { areasOf, highest, median, roundEven, weightedMedian, type Bits, type Floats, type Grey, type Image } from './plane';
import { rescale } from './scale';
import { networkSize } from './tiles';

/* The diameter of an image's nuclei, as `nnbook.segmentation.diameter` estimates it. */

const PART_SHARE = 0.4;
const PART_SIDES_PX = [192, 416] as const;
const COARSENESS = 1.2;
const GUESSES = 3;
const LARGER = 1.4;
const SMALLER = 1.25;
const FALLBACK_GUESSES_PX = [10, 20, 40, 80, 160];
const SURROUND_PX = 16;
const SURE_LOGIT = 3;
const LEAST_DIAMETER_PX = 5;
const OVERVIEW_SIDE_PX = 1024;

/** Runs the network over an image at its scale. */
export type Network = (image: Floats) => Promise<Output>;

interface Estimate {
  diameter: number;
  converged: boolean;
  isSure: boolean;
  evidence: number;
}

const NONE: Estimate = { diameter: 0, converged: false, isSure: false, evidence: 0 };

/** The diameter of an image's nuclei in px; 0 where none is found. */
export async function estimateDiameter(image: Image, greys: [number, number], network: Network, diamMean: number, thresholds: Thresholds): Promise<number> {
  if (greys[0] === greys[1]) return 0;
  const { foreground, shrink } = brightOverview(image, greys);
  const first = typicalDiameter(foreground) / shrink;
  const short = Math.min(image.width, image.height);
  const refineAt = (bright: Bits, guess: number) => refine(image, bright, greys, network, guess, diamMean, thresholds);
  const plausible = first <= short / 2;
  const estimates = plausible ? [await refineAt(foreground, first)] : [];
  if (estimates[0]?.isSure === true) return estimates[0].diameter;
  // Speckle or texture gave the guess; or uneven light has joined all components into one; or it is one large nucleus.
  const local = brightOverview(image, greys, { surround: SURROUND_PX });
  const byContrast = await refineAt(local.foreground, typicalDiameter(local.foreground) / local.shrink);
  if (byContrast.isSure) return byContrast.diameter;
  const guesses = [...FALLBACK_GUESSES_PX.filter((guess) => guess <= 2 * short), ...(plausible ? [] : [first])];
  estimates.push(byContrast);
  for (const guess of guesses) estimates.push(await refineAt(foreground, guess));
  if (byContrast.converged && !estimates.some(({ isSure }) => isSure)) return byContrast.diameter;
  return estimates.reduce((best, one) => (one.evidence > best.evidence ? one : best)).diameter;
}

/** Segments a coarse copy as if a guess were right, and again with the diameter found, until the two agree. */
async function refine(
  image: Image,
  foreground: Bits,
  greys: [number, number],
  network: Network,
  first: number,
  diamMean: number,
  thresholds: Thresholds,
): Promise<Estimate> {
  let [guess, estimate] = [first, NONE];
  for (let round = 0; round < GUESSES; round++) {
    if (guess < LEAST_DIAMETER_PX) return NONE;
    const scale = diamMean / (guess * COARSENESS);
    const side = Math.min(Math.max(Math.sqrt(PART_SHARE * image.width * image.height) * scale, PART_SIDES_PX[0]), PART_SIDES_PX[1]);
    const part = brightestPart(image, foreground, Math.ceil(side / scale));
    const size = networkSize(part, scale);
    if (!size) return NONE;
    const output = await network(rescale(part, size, ...greys));
    const { labels } = computeMasks(output, thresholds);
    const areas = areasOf(labels.data, highest(labels.data)).slice(1).filter((area) => area > 0);
    const found = areas.length > 0 ? (2 * Math.sqrt(median(areas) / Math.PI)) / scale : 0;
    const inside = logitOf(output).filter((_, at) => (labels.data[at] ?? 0) > 0);
    const logit = inside.length > 0 ? inside.reduce((sum, value) => sum + value, 0) / inside.length - thresholds.cellprob : 0;
    const converged = guess / SMALLER <= found && found <= guess * LARGER;
    estimate = {
      diameter: found >= LEAST_DIAMETER_PX ? found : 0,
      converged,
      isSure: converged && logit >= SURE_LOGIT,
      evidence: converged ? logit * Math.log1p(areas.length) : 0,
    };
    if (converged) break;
    guess = found;
  }
  return estimate;
}

/** Which pixels of an overview are above Otsu's threshold, and how many px of it are one of the image; sides and blurs are in px of it. */
export function brightOverview(
  image: Image,
  greys: [number, number],
  { side = OVERVIEW_SIDE_PX, blur = 1, surround = null }: { side?: number; blur?: number; surround?: number | null } = {},
): { foreground: Bits; shrink: number } {
  const shrink = Math.min(1, side / Math.max(image.width, image.height));
  const size = networkSize(image, shrink) ?? image;
  const overview = gaussianBlur(rescale(image, { width: size.width, height: size.height }, ...greys), blur);
  overview.data.forEach((value, at) => (overview.data[at] = Math.min(Math.max(value, 0), 1)));
  if (surround !== null) {
    const around = gaussianBlur(overview, surround);
    overview.data.forEach((value, at) => (overview.data[at] = value - (around.data[at] ?? 0)));
  }
  const threshold = otsu(overview.data);
  return { foreground: { ...overview, data: Uint8Array.from(overview.data, (value) => (value > threshold ? 1 : 0)) }, shrink };
}

/** Otsu's threshold, as scikit-image computes it from 256 bins. */
function otsu(values: Float32Array): number {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least === most) return least;
  const bins = 256;
  const counts = new Float64Array(bins);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor(((value - least) / (most - least)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const centre = (bin: number) => least + ((bin + 0.5) * (most - least)) / bins;
  let [total, sum] = [0, 0];
  counts.forEach((count, bin) => {
    total += count;
    sum += count * centre(bin);
  });
  let [below, sumBelow, best, greatest] = [0, 0, 0, -1];
  for (let bin = 0; bin < bins - 1; bin++) {
    const count = counts[bin] ?? 0;
    below += count;
    sumBelow += count * centre(bin);
    const variance = below * (total - below) * (sumBelow / below - (sum - sumBelow) / (total - below)) ** 2;
    if (variance > greatest) [best, greatest] = [bin, variance];
  }
  return centre(best);
}

/** The typical diameter in px of connected components: the median weighted by the diameters; 0 where there is none. */
function typicalDiameter(foreground: Bits): number {
  const diameters = [...components(foreground, 8).areas].slice(1).map((area) => 2 * Math.sqrt(area / Math.PI));
  const large = diameters.filter((diameter) => diameter >= LEAST_DIAMETER_PX);
  return large.length > 0 ? weightedMedian(large, large) : 0;
}

/** The square of this side with most foreground. */
function brightestPart(image: Image, foreground: Bits, side: number): Image {
  const { width, height, data } = foreground;
  const shrink = height / image.height;
  const square = Math.max(1, Math.min(roundEven(side * shrink), width, height));
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += data[y * width + x] ?? 0;
      sums[(y + 1) * (width + 1) + x + 1] = (sums[y * (width + 1) + x + 1] ?? 0) + row;
    }
  }
  const half = square >> 1;
  let [best, most] = [0, -1];
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - half), Math.min(height, y - half + square)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - half), Math.min(width, x - half + square)];
      const at = (row: number, column: number) => sums[row * (width + 1) + column] ?? 0;
      const share = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
      if (share > most) [best, most] = [y * width + x, share];
    }
  }
  const start = (place: number, length: number) => Math.min(Math.max(0, roundEven(place / shrink - side / 2)), Math.max(0, length - side));
  const [left, top] = [start(best % width, image.width), start(Math.floor(best / width), image.height)];
  const [wide, high] = [Math.min(side, image.width - left), Math.min(side, image.height - top)];
  const out = new (image.data.constructor as new (length: number) => Grey)(wide * high);
  for (let y = 0; y < high; y++) {
    const from = (top + y) * image.width + left;
    out.set(image.data.subarray(from, from + wide), y * wide);
  }
  return { width: wide, height: high, data: out };
}
