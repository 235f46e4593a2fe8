/** Values of a plane, row by row. */
export interface Plane<Values> {
  width: number;
  height: number;
  data: Values;
}

export type Grey = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
export type Image = Plane<Grey>;
export type Floats = Plane<Float32Array>;
export type Labels = Plane<Int32Array>;
export type Bits = Plane<Uint8Array>;

/** A rectangle of a plane; `right` and `bottom` are outside. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function highest(labels: Int32Array): number {
  let most = 0;
  for (const label of labels) if (label > most) most = label;
  return most;
}

/** How many pixels each label has, from 0 to `count`. */
export function areasOf(labels: Int32Array, count = highest(labels)): Float64Array {
  const areas = new Float64Array(count + 1);
  for (const label of labels) if (label >= 0) areas[label] = (areas[label] ?? 0) + 1;
  return areas;
}

/** The sum of a plane's values over each label. */
export function sumsOf(labels: Int32Array, values: Float32Array, count: number): Float64Array {
  const sums = new Float64Array(count + 1);
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at] ?? 0;
    sums[label] = (sums[label] ?? 0) + (values[at] ?? 0);
  }
  return sums;
}

/** Where each label is; null for one without pixels. */
export function boxesOf({ width, height, data }: Labels, count = highest(data)): (Box | null)[] {
  const boxes: (Box | null)[] = Array.from({ length: count + 1 }, () => null);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const label = data[at] ?? 0;
      if (label <= 0) continue;
      const box = boxes[label];
      if (!box) boxes[label] = { left: x, top: y, right: x + 1, bottom: y + 1 };
      else {
        box.bottom = y + 1;
        if (x < box.left) box.left = x;
        if (x >= box.right) box.right = x + 1;
      }
    }
  }
  return boxes;
}

/** A part of a plane, copied. */
export function cut<Values extends Int32Array | Float32Array | Uint8Array>({ width, data }: Plane<Values>, box: Box): Plane<Values> {
  const [wide, high] = [box.right - box.left, box.bottom - box.top];
  const part = new (data.constructor as new (length: number) => Values)(wide * high);
  for (let y = 0; y < high; y++) {
    const from = (box.top + y) * width + box.left;
    part.set(data.subarray(from, from + wide), y * wide);
  }
  return { width: wide, height: high, data: part };
}

/** The value in the middle of several, or the mean of the two there. */
export function median(values: ArrayLike<number>): number {
  return percentile(values, 50);
}

/** A percentile of several values, interpolated linearly as numpy does. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const found = Float64Array.from(values);
  const place = (share / 100) * (found.length - 1);
  const below = Math.floor(place);
  const low = select(found, below);
  if (place === below) return low;
  // All that are not less are behind it by now.
  let high = Number.POSITIVE_INFINITY;
  for (let at = below + 1; at < found.length; at++) high = Math.min(high, found[at] ?? high);
  return low + (high - low) * (place - below);
}

/** The value that would be at a place if all were sorted: what is less is brought before it, what is more behind. */
function select(values: Float64Array, place: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[(low + high) >> 1] ?? 0;
    let [i, j] = [low, high];
    while (i <= j) {
      while ((values[i] ?? 0) < pivot) i++;
      while ((values[j] ?? 0) > pivot) j--;
      if (i > j) break;
      const kept = values[i] ?? 0;
      values[i++] = values[j] ?? 0;
      values[j--] = kept;
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else break;
  }
  return values[place] ?? Number.NaN;
}

/** The least of several values at which those up to it have half of all weight. */
export function weightedMedian(values: readonly number[], weights: readonly number[]): number {
  const order = values.map((_, at) => at).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const half = weights.reduce((sum, weight) => sum + weight, 0) / 2;
  let sum = 0;
  for (const at of order) {
    sum += weights[at] ?? 0;
    if (sum >= half) return values[at] ?? 0;
  }
  return 0;
}

/** Python's `round`: halves go to the even neighbour. */
export function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
