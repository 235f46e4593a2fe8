import type { Bits, Box, Floats, Labels, Plane } from './plane';

/*
 * Filters as OpenCV has them, which `nnbook.segmentation` uses: with its borders, kernels and order of summation.
 */

/** A place beside a row of `length`, mirrored at its first and last pixel. */
function mirrored(at: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const place = ((at % period) + period) % period;
  return place < length ? place : period - place;
}

/** Blurs by a Gaussian; without `side`, the kernel is as wide as OpenCV makes it for float32. */
export function gaussianBlur({ width, height, data }: Floats, sd: number, side = Math.round(sd * 8 + 1) | 1): Floats {
  const half = side >> 1;
  const exact = Array.from({ length: side }, (_, at) => Math.exp(-((at - half) ** 2) / (2 * sd * sd)));
  const sum = exact.reduce((total, value) => total + value, 0);
  const kernel = Float32Array.from(exact, (value) => value / sum);
  const rows = new Float32Array(data.length);
  const line = new Float32Array(width + 2 * half);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < line.length; x++) line[x] = data[row + mirrored(x - half, width)] ?? 0;
    for (let x = 0; x < width; x++) {
      let total = 0;
      for (let k = 0; k < side; k++) total += (line[x + k] ?? 0) * (kernel[k] ?? 0);
      rows[row + x] = total;
    }
  }
  const out = new Float32Array(data.length);
  const totals = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    totals.fill(0);
    for (let k = 0; k < side; k++) {
      const from = mirrored(y + k - half, height) * width;
      const weight = kernel[k] ?? 0;
      for (let x = 0; x < width; x++) totals[x] = (totals[x] ?? 0) + (rows[from + x] ?? 0) * weight;
    }
    out.set(totals, y * width);
  }
  return { width, height, data: out };
}

/**
 * The median of 5 x 5 pixels; beyond the border is what is at the border. Where only medians above a level matter, the
 * others are left out, as -Infinity: most of an image of few nuclei then costs little.
 */
export function medianBlur5({ width, height, data }: Floats, above = Number.NEGATIVE_INFINITY): Floats {
  const out = new Float32Array(data.length).fill(Number.NEGATIVE_INFINITY);
  const around = new Float32Array(25);
  const clamp = (at: number, length: number) => (at < 0 ? 0 : at >= length ? length - 1 : at);
  const rows = [-2, -1, 0, 1, 2];
  // How many of five pixels above one another exceed the level.
  const counts = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    const starts = rows.map((v) => clamp(y + v, height) * width);
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = starts;
    if (above !== Number.NEGATIVE_INFINITY) {
      for (let x = 0; x < width; x++) {
        counts[x] = Number((data[a + x] ?? 0) > above) + Number((data[b + x] ?? 0) > above) + Number((data[c + x] ?? 0) > above) + Number((data[d + x] ?? 0) > above) + Number((data[e + x] ?? 0) > above);
      }
    } else counts.fill(5);
    for (let x = 0; x < width; x++) {
      const columns = [clamp(x - 2, width), clamp(x - 1, width), x, clamp(x + 1, width), clamp(x + 2, width)] as const;
      const [p, q, r, s, t] = columns;
      if ((counts[p] ?? 0) + (counts[q] ?? 0) + (counts[r] ?? 0) + (counts[s] ?? 0) + (counts[t] ?? 0) < 13) continue;
      let count = 0;
      for (const start of starts) for (const column of columns) around[count++] = data[start + column] ?? 0;
      out[y * width + x] = middleOf(around);
    }
  }
  return { width, height, data: out };
}

/** The 13th of 25 values, which are put in another order. */
function middleOf(values: Float32Array): number {
  let [low, high] = [0, 24];
  while (low < high) {
    const pivot = values[12] ?? 0;
    let [i, j] = [low, high];
    while (i <= j) {
      while ((values[i] ?? 0) < pivot) i++;
      while ((values[j] ?? 0) > pivot) j--;
      if (i <= j) {
        const kept = values[i] ?? 0;
        values[i++] = values[j] ?? 0;
        values[j--] = kept;
      }
    }
    if (j < 12) low = i;
    if (i > 12) high = j;
  }
  return values[12] ?? 0;
}

/** The greatest value within a square of `2 * reach + 1`, of the pixels that there are. */
export function dilate<Values extends Float32Array | Uint8Array>({ width, height, data }: Plane<Values>, reach: number): Plane<Values> {
  const rows = data.slice() as Values;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      let most = data[row + x] ?? 0;
      for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) if ((data[row + u] ?? 0) > most) most = data[row + u] ?? 0;
      rows[row + x] = most;
    }
  }
  const out = rows.slice() as Values;
  for (let y = 0; y < height; y++) {
    for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
      for (let x = 0; x < width; x++) {
        const value = rows[v * width + x] ?? 0;
        if (value > (out[y * width + x] ?? 0)) out[y * width + x] = value;
      }
    }
  }
  return { width, height, data: out };
}

/** Rows of a structuring element: how far it extends to both sides, from its topmost row on. */
export type Element = readonly number[];

/** A disc of all pixels within `radius`. */
export function disc(radius: number): Element {
  return Array.from({ length: 2 * radius + 1 }, (_, at) => Math.floor(Math.sqrt(radius * radius - (at - radius) ** 2)));
}

/** OpenCV's ellipse of 5 x 5 pixels. */
export const ELLIPSE_5: Element = [0, 2, 2, 2, 0];

/** The image's opening: the greatest of the least values of all elements that a pixel is in. */
export function opening<Values extends Float32Array | Uint8Array>(image: Plane<Values>, element: Element): Plane<Values> {
  return extreme(extreme(image, element, -1), element, 1);
}

/** The least (-1) or greatest (1) value within an element, of the pixels that there are. */
function extreme<Values extends Float32Array | Uint8Array>({ width, height, data }: Plane<Values>, element: Element, sign: 1 | -1): Plane<Values> {
  const half = element.length >> 1;
  const out = data.slice() as Values;
  // Along rows, within a reach that grows: each step looks at two more pixels.
  const line = data.slice() as Values;
  const most = Math.max(...element);
  for (let reach = 0; reach <= most; reach++) {
    if (reach > 0) {
      for (let y = 0; y < height; y++) {
        const row = y * width;
        for (let at = row + reach; at < row + width; at++) {
          const [before, here] = [data[at - reach] ?? 0, data[at] ?? 0];
          if (sign > 0 ? before > (line[at] ?? 0) : before < (line[at] ?? 0)) line[at] = before;
          if (sign > 0 ? here > (line[at - reach] ?? 0) : here < (line[at - reach] ?? 0)) line[at - reach] = here;
        }
      }
    }
    for (let k = 0; k < element.length; k++) {
      if (element[k] !== reach) continue;
      const shift = (k - half) * width;
      for (let at = Math.max(0, -shift); at < Math.min(out.length, out.length - shift); at++) {
        const value = line[at + shift] ?? 0;
        if (sign > 0 ? value > (out[at] ?? 0) : value < (out[at] ?? 0)) out[at] = value;
      }
    }
  }
  return { width, height, data: out };
}

/** Connected components: a number for each pixel, 0 for none, and what is known of each. */
export interface Components {
  labels: Labels;
  count: number;
  areas: Float64Array;
  boxes: Box[];
  /** Centres, x and y of each. */
  x: Float64Array;
  y: Float64Array;
}

/** Numbers connected pixels that are not 0, by their first one; number 0 is the background. */
export function components({ width, height, data }: Bits, connectivity: 4 | 8): Components {
  const labels = new Int32Array(width * height);
  const stack: number[] = [];
  const areas = [0];
  const [sumX, sumY] = [[0], [0]];
  const boxes: Box[] = [{ left: 0, top: 0, right: width, bottom: height }];
  let count = 1;
  for (let first = 0; first < data.length; first++) {
    if (data[first] === 0 || labels[first] !== 0) continue;
    const number = count++;
    let [area, ofX, ofY] = [0, 0, 0];
    const box: Box = { left: width, top: height, right: 0, bottom: 0 };
    labels[first] = number;
    stack.push(first);
    while (stack.length > 0) {
      const at = stack.pop() ?? 0;
      const [x, y] = [at % width, Math.floor(at / width)];
      area++;
      ofX += x;
      ofY += y;
      if (x < box.left) box.left = x;
      if (x >= box.right) box.right = x + 1;
      if (y < box.top) box.top = y;
      if (y >= box.bottom) box.bottom = y + 1;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          if (connectivity === 4 && u !== x && v !== y) continue;
          const other = v * width + u;
          if (data[other] !== 0 && labels[other] === 0) {
            labels[other] = number;
            stack.push(other);
          }
        }
      }
    }
    areas.push(area);
    sumX.push(ofX / area);
    sumY.push(ofY / area);
    boxes.push(box);
  }
  return { labels: { width, height, data: labels }, count, areas: Float64Array.from(areas), boxes, x: Float64Array.from(sumX), y: Float64Array.from(sumY) };
}

/** For each pixel the distance to the nearest pixel with a label, by OpenCV's chamfer of 5 x 5, and that label. */
export function nearestLabel({ width, height, data }: Labels): { distance: Float32Array; nearest: Int32Array } {
  const ONE = 65536;
  const [straight, diagonal, knight] = [ONE, Math.round(1.4 * ONE), Math.round(2.1969 * ONE)];
  const far = 4294967295 - knight;
  const wide = width + 4;
  const cost = new Float64Array(wide * (height + 4)).fill(far);
  const nearest = new Int32Array(wide * (height + 4));
  const before: [number, number][] = [
    [-2 * wide - 1, knight], [-2 * wide + 1, knight], [-wide - 2, knight], [-wide - 1, diagonal],
    [-wide, straight], [-wide + 1, diagonal], [-wide + 2, knight], [-1, straight],
  ];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y + 2) * wide + x + 2;
      const label = data[y * width + x] ?? 0;
      if (label > 0) {
        cost[at] = 0;
        nearest[at] = label;
        continue;
      }
      let [least, found] = [far, 0];
      for (const [offset, step] of before) {
        const through = (cost[at + offset] ?? far) + step;
        if (through < least) [least, found] = [through, nearest[at + offset] ?? 0];
      }
      cost[at] = least;
      nearest[at] = found;
    }
  }
  for (let y = height - 1; y >= 0; y--) {
    for (let x = width - 1; x >= 0; x--) {
      const at = (y + 2) * wide + x + 2;
      let [least, found] = [cost[at] ?? far, nearest[at] ?? 0];
      if (least > straight) {
        for (const [offset, step] of before) {
          const through = (cost[at - offset] ?? far) + step;
          if (through < least) [least, found] = [through, nearest[at - offset] ?? 0];
        }
        cost[at] = least;
        nearest[at] = found;
      }
    }
  }
  const distance = new Float32Array(width * height);
  const label = new Int32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y + 2) * wide + x + 2;
      distance[y * width + x] = (cost[at] ?? far) / ONE;
      label[y * width + x] = nearest[at] ?? 0;
    }
  }
  return { distance, nearest: label };
}

/** Corners of the convex hull of the pixels that are not 0, which are pixels, one after another round it. */
export function hullCorners({ width, height, data }: Bits): [number, number][] {
  const points: [number, number][] = [];
  // Of each row only the outermost pixels can be corners.
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const first = row.findIndex((value) => value !== 0);
    if (first < 0) continue;
    let last = width - 1;
    while (row[last] === 0) last--;
    points.push([first, y]);
    if (last !== first) points.push([last, y]);
  }
  if (points.length < 2) return points;
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (sorted: [number, number][]) => {
    const chain: [number, number][] = [];
    for (const point of sorted) {
      while (chain.length > 1 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(points), ...half([...points].reverse())];
}

/** Fills the convex hull of the pixels that are not 0, its outline included. */
export function convexHull(bits: Bits): Bits {
  const { width, height } = bits;
  const out: Bits = { width, height, data: new Uint8Array(width * height) };
  const hull = hullCorners(bits);
  const [left, right] = [new Float64Array(height).fill(Infinity), new Float64Array(height).fill(-Infinity)];
  hull.forEach((from, at) => {
    const to = hull[(at + 1) % hull.length] ?? from;
    drawLine(out, from, to);
    const [[x0, y0], [x1, y1]] = from[1] <= to[1] ? [from, to] : [to, from];
    for (let y = y0; y <= y1; y++) {
      const x = y1 === y0 ? x0 : x0 + ((x1 - x0) * (y - y0)) / (y1 - y0);
      left[y] = Math.min(left[y] ?? x, x);
      right[y] = Math.max(right[y] ?? x, x);
    }
  });
  for (let y = 0; y < height; y++) {
    const [from, to] = [left[y] ?? Infinity, right[y] ?? -Infinity];
    if (from <= to) out.data.fill(1, y * width + Math.floor(from + 0.5), y * width + Math.floor(to + 0.5) + 1);
  }
  return out;
}

function turn([ax, ay]: readonly number[] = [], [bx, by]: readonly number[] = [], [cx, cy]: readonly number[] = []): number {
  return ((bx ?? 0) - (ax ?? 0)) * ((cy ?? 0) - (ay ?? 0)) - ((by ?? 0) - (ay ?? 0)) * ((cx ?? 0) - (ax ?? 0));
}

/** Bresenham's line from left to right, whose pixels touch by sides or corners: of two as near, the one that OpenCV takes. */
function drawLine({ width, data }: Bits, one: [number, number], other: [number, number]): void {
  const [[x0, y0], [x1, y1]] = other[0] < one[0] ? [other, one] : [one, other];
  const [dx, dy] = [x1 - x0, Math.abs(y1 - y0)];
  const [longer, shorter] = dy > dx ? [dy, dx] : [dx, dy];
  const down = y1 < y0 ? -width : width;
  const [step, aside] = dy > dx ? [down, 1] : [1, down];
  let [at, error] = [y0 * width + x0, longer - 2 * shorter];
  for (let count = longer; ; count--) {
    data[at] = 1;
    if (count === 0) return;
    at += step;
    if (error < 0) {
      at += aside;
      error += 2 * longer;
    }
    error -= 2 * shorter;
  }
}
