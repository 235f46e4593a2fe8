import { components, convexHull, dilate, disc, gaussianBlur, nearestLabel, opening, type Components } from './filters';
import { areasOf, boxesOf, cut, highest, median, percentile, roundEven, sumsOf, type Bits, type Box, type Floats, type Labels } from './plane';

/*
 * Nuclei of several components, as `nnbook.segmentation.grouping` joins them: the two halves of an anaphase or telophase,
 * and micronuclei with their nucleus. What each number means is said there.
 */

const PAIRED_AREA = [0.03, 0.4] as const;
const PAIRED_DISTANCE = 1.25;
const LIKE_AREA = 0.25;
const LIKE_GREY = 0.6;
const BRIGHT = [0.5, 0.25] as const;
const LEAST_IN_TWO = 0.9;
const DRAWN = 0.25;
const GROWN_PX = 3;
const PAIR_GREY = 0.6;
const UNMASKED_GREY = [0.75, 0.9] as const;
const UNMASKED_LENGTH = 1.5;
const BRIGHTEST = 95;
const MICRONUCLEUS_AREA = 1 / 9;
const MICRONUCLEUS_DISTANCE = 0.3;
const MICRONUCLEUS_GREY = [0.2, 1.2] as const;
const MOST_COVERED = 0.75;
const LEAST_SIGNAL = 3.5;
const NORMAL_DEVIATION = 0.6744897501960817;

/** Gives components of one nucleus one label, in place; returns the labels of pairs. */
export function joinComponents(labels: Labels, grey: Floats, diameter: number): number[] {
  if (!labels.data.some((label) => label > 0)) return [];
  const pairs = joinPairs(labels, grey, diameter);
  joinMicronuclei(labels, grey, diameter);
  return pairs;
}

function joinPairs(labels: Labels, image: Floats, diameter: number): number[] {
  const areas = areasOf(labels.data);
  for (const label of labelsAtEdge(labels)) areas[label] = 0;
  const nucleus = (Math.PI / 4) * diameter ** 2;
  const small: number[] = [];
  areas.forEach((area, label) => {
    if (area >= PAIRED_AREA[0] * nucleus && area <= 2 * PAIRED_AREA[1] * nucleus) small.push(label);
  });
  const boxes = boxesOf(labels);
  const background = backgroundGrey(labels, image);
  const level = medianGrey(labels, image);
  const range = Math.max(Math.fround(level - background), Math.fround(1e-6));
  const grey = { ...image, data: image.data.map((value) => Math.fround(value - background) / range) };
  const joined: number[] = [];
  for (const label of small) {
    const box = boxes[label];
    if (!box) continue;
    const mask = maskOf(labels, box, [label]);
    const parts = twoParts(mask, cut(grey, box));
    if (!parts) continue;
    drawPair(labels, grey, box, label, mask, parts);
    joined.push(label);
  }
  const single = small.filter((label) => (areas[label] ?? 0) <= PAIRED_AREA[1] * nucleus && !joined.includes(label));
  if (single.length > 0) joined.push(...joinMasks(labels, grey, single, boxes, diameter));
  joined.push(...unmaskedPairs(labels, grey, diameter));
  return joined;
}

/** Joins small masks to one another, or to a component without a mask, in place; returns the labels of pairs. */
function joinMasks(labels: Labels, grey: Floats, single: number[], boxes: (Box | null)[], diameter: number): number[] {
  const joined: number[] = [];
  const centres = single.map((label) => centreOf(labels, label, boxes[label] ?? null));
  const free = single.map(() => true);
  for (const [one, other] of nearPairs(centres, PAIRED_DISTANCE * diameter)) {
    const pair: [number, number] = [single[one] ?? 0, single[other] ?? 0];
    const [first, second] = [boxes[pair[0]], boxes[pair[1]]];
    if (!free[one] || !free[other] || !first || !second) continue;
    const box = around(first, second, 0, labels);
    if (!areHalves(cut(labels, box), cut(grey, box), pair)) continue;
    const mask = maskOf(labels, box, pair);
    setIn(labels, box, mask, pair[0]);
    drawPair(labels, grey, box, pair[0], mask, mask);
    free[one] = free[other] = false;
    joined.push(pair[0]);
  }
  const reach = Math.ceil(1.5 * PAIRED_DISTANCE * diameter);
  single.forEach((label, at) => {
    const [x, y] = centres[at] ?? [0, 0];
    if (!free[at]) return;
    const [column, row] = [Math.trunc(x), Math.trunc(y)];
    const box = clipped({ left: column - reach, top: row - reach, right: column + reach + 1, bottom: row + reach + 1 }, labels);
    const half = unmaskedHalf(cut(labels, box), cut(grey, box), label, diameter);
    if (!half) return;
    const both = either(maskOf(labels, box, [label]), half);
    drawPair(labels, grey, box, label, both, both);
    joined.push(label);
  });
  return joined;
}

/** What is bright in a mask that covers both halves of a pair; null for another mask. */
function twoParts(mask: Bits, grey: Floats): Bits | null {
  for (const share of BRIGHT) {
    const least = Math.fround(share * percentile(valuesIn(grey, mask), BRIGHTEST));
    const bright = where(mask, (inside, at) => inside && (grey.data[at] ?? 0) > least);
    const parts = components(bright, 8);
    const largest = ordered(parts, (a, b) => (parts.areas[b] ?? 0) - (parts.areas[a] ?? 0)).slice(0, 2);
    const [one, other] = largest;
    if (one === undefined || other === undefined) continue;
    if ((parts.areas[one] ?? 0) + (parts.areas[other] ?? 0) < LEAST_IN_TWO * countOf(bright)) continue;
    const halves = maskOf(parts.labels, null, largest);
    const numbers = { ...parts.labels, data: parts.labels.data.map((number, at) => (halves.data[at] ? number : 0)) };
    if (areHalves(numbers, grey, [one, other], { share })) return halves;
  }
  return null;
}

/** Gives a pair its pixels, in place: what is bright near its halves, and what is not between them in its mask. */
function drawPair(labels: Labels, image: Floats, box: Box, label: number, near: Bits, halves: Bits): void {
  const grey = cut(image, box);
  const mask = maskOf(labels, box, [label]);
  const least = Math.fround(DRAWN * percentile(valuesIn(grey, halves), BRIGHTEST));
  const bright = where(near, (inside, at) => inside && (grey.data[at] ?? 0) > least);
  const core = where(halves, (inside, at) => inside && bright.data[at] === 1);
  const between = convexHull(core);
  const kept = where(bright, (inside, at) => inside || (mask.data[at] === 1 && between.data[at] === 0));
  const parts = components(kept, 4).labels.data;
  const ofHalves = new Set<number>();
  core.data.forEach((inside, at) => {
    if (inside) ofHalves.add(parts[at] ?? 0);
  });
  setIn(labels, box, mask, 0);
  setIn(labels, box, where(kept, (inside, at) => inside && ofHalves.has(parts[at] ?? 0)), label);
}

/** The component without a mask that is the other half of a mask, with what is near; null without one. */
function unmaskedHalf(labels: Labels, grey: Floats, label: number, diameter: number): Bits | null {
  const mask = maskOf(labels, null, [label]);
  const least = Math.fround(BRIGHT[0] * percentile(valuesIn(grey, mask), BRIGHTEST));
  const bright = where(mask, (inside, at) => (inside || labels.data[at] === 0) && (grey.data[at] ?? 0) > least);
  const parts = components(bright, 4);
  const numbers = new Int32Array(parts.count);
  mask.data.forEach((inside, at) => {
    const part = parts.labels.data[at] ?? 0;
    if (inside && bright.data[at]) numbers[part] = (numbers[part] ?? 0) + 1;
  });
  const most = Math.max(...numbers);
  if (most === 0) return null;
  const own = numbers.indexOf(most);
  const distance = (part: number) => Math.hypot((parts.x[part] ?? 0) - (parts.x[own] ?? 0), (parts.y[part] ?? 0) - (parts.y[own] ?? 0));
  const { width, height } = labels;
  for (const part of ordered(parts, (a, b) => distance(a) - distance(b))) {
    const box = parts.boxes[part];
    if (!box || part === own) continue;
    const isCut = box.left === 0 || box.top === 0 || box.right === width || box.bottom === height;
    const tooSmall = (parts.areas[part] ?? 0) < (((PAIRED_AREA[0] / 2) * Math.PI) / 4) * diameter ** 2;
    if (isCut || tooSmall || distance(part) > PAIRED_DISTANCE * diameter) continue;
    const both = {
      ...labels,
      data: parts.labels.data.map((number, at) => (number === own || number === part ? number : (labels.data[at] ?? 0) > 0 && !mask.data[at] ? -1 : 0)),
    };
    if (areHalves(both, grey, [own, part], { leastGrey: UNMASKED_GREY[1] })) {
      return grown(maskOf(parts.labels, null, [part]), where(mask, (_, at) => labels.data[at] === 0));
    }
  }
  return null;
}

/** Gives pairs of which neither half has a mask a label, in place; returns these labels. */
function unmaskedPairs(labels: Labels, grey: Floats, diameter: number): number[] {
  const { data } = labels;
  if (!data.some((label) => label > 0)) return [];
  const masked: Bits = { ...labels, data: Uint8Array.from(data, (label) => (label > 0 ? 1 : 0)) };
  const parts = components(where(masked, (inside, at) => !inside && (grey.data[at] ?? 0) > UNMASKED_GREY[0]), 4);
  const nucleus = (Math.PI / 4) * diameter ** 2;
  const fits = Array.from(parts.areas, (area) => area >= (PAIRED_AREA[0] / 2) * nucleus && area <= PAIRED_AREA[1] * nucleus);
  dilate(masked, 1).data.forEach((beside, at) => {
    if (beside) fits[parts.labels.data[at] ?? 0] = false;
  });
  for (const part of labelsAtEdge(parts.labels)) fits[part] = false;
  fits[0] = false;
  const single = fits.flatMap((fit, part) => (fit ? [part] : []));
  const free = fits.map(() => true);
  const highestLabel = highest(data);
  const joined: number[] = [];
  const centres = single.map((part): [number, number] => [parts.x[part] ?? 0, parts.y[part] ?? 0]);
  for (const [a, b] of nearPairs(centres, PAIRED_DISTANCE * diameter)) {
    const [one, other] = [single[a] ?? 0, single[b] ?? 0];
    const [first, second] = [parts.boxes[one], parts.boxes[other]];
    if (!first || !second) continue;
    const box = around(first, second, GROWN_PX, labels);
    const halves = maskOf(parts.labels, box, [one, other]);
    const here = cut(labels, box);
    const numbers = cut(parts.labels, box);
    const both = { ...here, data: here.data.map((label, at) => (label > 0 ? -1 : halves.data[at] ? (numbers.data[at] ?? 0) : 0)) };
    const alike = areHalves(both, cut(grey, box), [one, other], { longer: UNMASKED_LENGTH, leastGrey: UNMASKED_GREY[1] });
    if (!free[one] || !free[other] || !alike) continue;
    const label = highestLabel + 1 + joined.length;
    joined.push(label);
    drawPair(labels, grey, box, label, grown(halves, where(halves, (_, at) => here.data[at] === 0)), halves);
    free[one] = free[other] = false;
  }
  return joined;
}

/** A half and the pixels without a mask that are near it. */
function grown(half: Bits, free: Bits): Bits {
  const near = dilate(half, GROWN_PX);
  return where(half, (inside, at) => inside || (free.data[at] === 1 && near.data[at] === 1));
}

/** Gives micronuclei the label of their nucleus, in place. */
function joinMicronuclei(labels: Labels, grey: Floats, diameter: number): void {
  const { width, height, data } = labels;
  const largest = (MICRONUCLEUS_AREA * Math.PI * diameter ** 2) / 4;
  const areas = areasOf(data);
  const tiny = Array.from(areas, (area) => area <= largest && area > 0);
  for (const label of labelsAtEdge(labels)) tiny[label] = false;
  const nuclei = { ...labels, data: data.map((label) => (tiny[label] ? 0 : label)) };
  if (!nuclei.data.some((label) => label > 0)) return;
  const { distance, nearest } = nearestLabel(nuclei);
  const background = backgroundGrey(labels, grey);
  const noise = noiseOf(labels, grey, background);
  const smooth = gaussianBlur(grey, 0.8);
  const radius = Math.ceil(Math.sqrt(largest / Math.PI)) + 2;
  const base = opening(smooth, disc(radius)).data;
  const level = meansOf(nuclei, grey, areas.length - 1).map((mean) => mean - background);
  const most = dilate(smooth, 2).data;
  const beside = dilate({ ...nuclei, data: Uint8Array.from(nuclei.data, (label) => (label === 0 ? 1 : 0)) }, 2).data;
  const numbers = Int32Array.from(areas, (_, label) => label);
  const side = 2 * radius;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const here = smooth.data[at] ?? 0;
      if (here !== most[at] || !beside[at] || (distance[at] ?? 0) > MICRONUCLEUS_DISTANCE * diameter) continue;
      const rise = Math.fround(here - (base[at] ?? 0));
      const nucleus = nearest[at] ?? 0;
      const share = Math.fround(rise / Math.max(level[nucleus] ?? 0, Math.fround(1e-6)));
      if (share < MICRONUCLEUS_GREY[0] || share > MICRONUCLEUS_GREY[1] || rise < LEAST_SIGNAL * noise) continue;
      const box = clipped({ left: x - side, top: y - side, right: x + side + 1, bottom: y + side + 1 }, labels);
      const least = Math.fround((base[at] ?? 0) + Math.fround(rise / 2));
      const [part, masks] = [cut(smooth, box), cut(nuclei, box)];
      const outside = (nuclei.data[at] ?? 0) === 0;
      const bright: Bits = { ...part, data: Uint8Array.from(part.data, (value, k) => (value >= least && (!outside || masks.data[k] === 0) ? 1 : 0)) };
      const parts = components(bright, 4).labels.data;
      const own = parts[(y - box.top) * part.width + x - box.left] ?? 0;
      const component = where(bright, (_, k) => parts[k] === own);
      const area = countOf(component);
      const covered = countOf(where(component, (inside, k) => inside && (masks.data[k] ?? 0) > 0));
      if (area > largest || covered > MOST_COVERED * area) continue;
      const rim = dilate(component, 1);
      const now = cut(labels, box);
      setIn(labels, box, where(rim, (inside, k) => inside && now.data[k] === 0), nucleus);
      const label = data[at] ?? 0;
      if (tiny[label]) numbers[label] = nucleus; // where the component has a mask of its own
    }
  }
  for (let at = 0; at < data.length; at++) data[at] = numbers[data[at] ?? 0] ?? data[at] ?? 0;
}

/** The labels of the image's outermost pixels: the size and the shape of these nuclei are not known. */
export function labelsAtEdge({ width, height, data }: Labels): Set<number> {
  const found = new Set<number>();
  for (let x = 0; x < width; x++) found.add(data[x] ?? 0).add(data[(height - 1) * width + x] ?? 0);
  for (let y = 0; y < height; y++) found.add(data[y * width] ?? 0).add(data[y * width + width - 1] ?? 0);
  return found;
}

interface HalfRules {
  share?: number;
  longer?: number;
  leastGrey?: number;
}

/** Whether what is bright in two masks is alike, faces each other, and has no third mask between. */
function areHalves(labels: Labels, grey: Floats, pair: [number, number], { share = BRIGHT[0], longer = 1, leastGrey = PAIR_GREY }: HalfRules = {}): boolean {
  const { width } = labels;
  const least = Math.fround(share * percentile(valuesIn(grey, maskOf(labels, null, pair)), BRIGHTEST));
  const halves = pair.map((label) => {
    const places: number[] = [];
    labels.data.forEach((here, at) => {
      if (here === label && (grey.data[at] ?? 0) > least) places.push(at);
    });
    return places;
  });
  const [one = [], other = []] = halves;
  const areas = [one.length, other.length].sort((a, b) => a - b);
  if ((areas[0] ?? 0) < Math.max(3, LIKE_AREA * (areas[1] ?? 0))) return false;
  const greys = halves.map((half) => half.reduce((sum, at) => sum + (grey.data[at] ?? 0), 0) / half.length).sort((a, b) => a - b);
  if ((greys[0] ?? 0) < Math.max(leastGrey, LIKE_GREY * (greys[1] ?? 0))) return false;
  const centres = halves.map((half): [number, number] => [
    half.reduce((sum, at) => sum + Math.floor(at / width), 0) / half.length,
    half.reduce((sum, at) => sum + (at % width), 0) / half.length,
  ]);
  const [from = [0, 0], to = [0, 0]] = centres;
  const line = [to[0] - from[0], to[1] - from[1]] as const;
  const length = Math.hypot(...line);
  const along = [line[0] / length, line[1] / length] as const;
  const lengths = halves.map((half) => {
    const variance = (v: number, u: number) => {
      const values = half.map((at) => Math.floor(at / width) * v + (at % width) * u);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    };
    return Math.sqrt(variance(-along[1], along[0]) / Math.max(variance(along[0], along[1]), 1e-6));
  });
  const [first = 0, second = 0] = lengths;
  if (Math.min(first, second) < 1 || Math.sqrt(first * second) < longer) return false;
  const steps = 2 * Math.ceil(length);
  for (let step = 0; step < steps; step++) {
    const share = steps === 1 ? 0 : step / (steps - 1);
    const at = roundEven(from[0] + share * line[0]) * width + roundEven(from[1] + share * line[1]);
    const label = labels.data[at] ?? 0;
    if (label !== 0 && label !== pair[0] && label !== pair[1]) return false;
  }
  return true;
}

/** The median of what no mask covers; 0 where masks cover all. */
export function backgroundGrey(labels: Labels, grey: Floats): number {
  const outside = grey.data.filter((_, at) => labels.data[at] === 0);
  return outside.length > 0 ? Math.fround(median(outside)) : 0;
}

function noiseOf(labels: Labels, grey: Floats, background: number): number {
  const outside = grey.data.filter((_, at) => labels.data[at] === 0);
  return outside.length > 0 ? Math.fround(median(outside.map((value) => Math.abs(value - background))) / NORMAL_DEVIATION) : 0;
}

/** The median of the masks' mean grey levels. */
function medianGrey(labels: Labels, grey: Floats): number {
  const areas = areasOf(labels.data);
  const means = meansOf(labels, grey, areas.length - 1);
  return Math.fround(median([...means].filter((_, label) => label > 0 && (areas[label] ?? 0) > 0)));
}

function meansOf(labels: Labels, grey: Floats, count: number): Float32Array {
  const areas = areasOf(labels.data, count);
  return Float32Array.from(sumsOf(labels.data, grey.data, count), (sum, label) => sum / Math.max(areas[label] ?? 0, 1));
}

/** Pairs of places that are at most so far from each other, the nearest first. */
function nearPairs(centres: readonly (readonly [number, number])[], most: number): [number, number][] {
  const found: { pair: [number, number]; distance: number }[] = [];
  const order = centres.map((_, at) => at).sort((a, b) => (centres[a]?.[0] ?? 0) - (centres[b]?.[0] ?? 0));
  order.forEach((one, place) => {
    const [x, y] = centres[one] ?? [0, 0];
    for (let next = place + 1; next < order.length; next++) {
      const other = order[next] ?? 0;
      const [u, v] = centres[other] ?? [0, 0];
      if (u - x > most) break;
      const distance = Math.hypot(u - x, v - y);
      if (distance <= most) found.push({ pair: [Math.min(one, other), Math.max(one, other)], distance });
    }
  });
  return found.sort((a, b) => a.distance - b.distance).map(({ pair }) => pair);
}

function centreOf({ width, data }: Labels, label: number, box: Box | null): [number, number] {
  let [count, sumX, sumY] = [0, 0, 0];
  if (!box) return [0, 0];
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      if (data[y * width + x] !== label) continue;
      count++;
      sumX += x;
      sumY += y;
    }
  }
  return [sumX / count, sumY / count];
}

function around(one: Box, other: Box, margin: number, plane: { width: number; height: number }): Box {
  return clipped(
    {
      left: Math.min(one.left, other.left) - margin,
      top: Math.min(one.top, other.top) - margin,
      right: Math.max(one.right, other.right) + margin,
      bottom: Math.max(one.bottom, other.bottom) + margin,
    },
    plane,
  );
}

function clipped({ left, top, right, bottom }: Box, { width, height }: { width: number; height: number }): Box {
  return { left: Math.max(0, left), top: Math.max(0, top), right: Math.min(width, right), bottom: Math.min(height, bottom) };
}

/** Which pixels of a box, or of all, have one of these labels. */
function maskOf(labels: Labels, box: Box | null, wanted: readonly number[]): Bits {
  const part = box ? cut(labels, box) : labels;
  return { width: part.width, height: part.height, data: Uint8Array.from(part.data, (label) => (wanted.includes(label) ? 1 : 0)) };
}

function where({ width, height, data }: Bits, keep: (inside: boolean, at: number) => boolean): Bits {
  return { width, height, data: Uint8Array.from(data, (value, at) => (keep(value === 1, at) ? 1 : 0)) };
}

function either(one: Bits, other: Bits): Bits {
  return where(one, (inside, at) => inside || other.data[at] === 1);
}

function setIn({ width, data }: Labels, box: Box, mask: Bits, label: number): void {
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) if (mask.data[y * mask.width + x]) data[(box.top + y) * width + box.left + x] = label;
  }
}

function valuesIn(grey: Floats, mask: Bits): Float32Array {
  return grey.data.filter((_, at) => mask.data[at] === 1);
}

function countOf(mask: Bits): number {
  return mask.data.reduce((sum, value) => sum + value, 0);
}

/** The numbers of components, the background left out, in an order. */
function ordered({ count }: Components, compare: (a: number, b: number) => number): number[] {
  return Array.from({ length: count - 1 }, (_, at) => at + 1).sort(compare);
}
