/** How many pixels of each grey level are of a nucleus, and how many are not. */
export interface Levels {
  readonly inside: Float64Array;
  readonly outside: Float64Array;
  readonly pixels: number;
}

export function countLevels(image: ArrayLike<number>, truth: ArrayLike<number>): Levels {
  const [inside, outside] = [new Float64Array(256), new Float64Array(256)];
  for (let at = 0; at < image.length; at++) {
    const counts = (truth[at] ?? 0) > 0 ? inside : outside;
    counts[image[at] ?? 0] = (counts[image[at] ?? 0] ?? 0) + 1;
  }
  return { inside, outside, pixels: image.length };
}

/**
 * Where the descent is: the threshold in steps of 64 grey levels, and the softness, also in grey levels, as a logarithm
 * to base 2. In these a step of either changes the model about as much.
 */
export interface Place {
  readonly threshold: number;
  readonly softness: number;
}

export const UNIT = 64;

export function placeOf(threshold: number, softness: number): Place {
  return { threshold: threshold / UNIT, softness: Math.log2(softness) };
}

/** The probability that a pixel of a grey level is of a nucleus. */
export function probability(grey: number, { threshold, softness }: Place): number {
  return 1 / (1 + Math.exp(-(grey - UNIT * threshold) / 2 ** softness));
}

/** The mean cross-entropy over all pixels. */
export function loss({ inside, outside, pixels }: Levels, { threshold, softness }: Place): number {
  let sum = 0;
  for (let grey = 0; grey < 256; grey++) {
    const margin = (grey - UNIT * threshold) / 2 ** softness;
    sum += (inside[grey] ?? 0) * softplus(-margin) + (outside[grey] ?? 0) * softplus(margin);
  }
  return sum / pixels;
}

/** By how much the loss rises with each of the two. */
export function gradient({ inside, outside, pixels }: Levels, place: Place): Place {
  let [threshold, softness] = [0, 0];
  for (let grey = 0; grey < 256; grey++) {
    const [yes, no] = [inside[grey] ?? 0, outside[grey] ?? 0];
    const error = (yes + no) * probability(grey, place) - yes;
    const margin = (grey - UNIT * place.threshold) / 2 ** place.softness;
    threshold -= (error * UNIT) / 2 ** place.softness;
    softness -= error * margin * Math.LN2;
  }
  return { threshold: threshold / pixels, softness: softness / pixels };
}

/** The places of a gradient descent, the first of them the start; none leaves `bounds`. */
export function descend(levels: Levels, start: Place, rate: number, steps: number, bounds: { low: Place; high: Place }): Place[] {
  const path = [start];
  let place = start;
  const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));
  for (let step = 0; step < steps; step++) {
    const slope = gradient(levels, place);
    place = {
      threshold: clamp(place.threshold - rate * slope.threshold, bounds.low.threshold, bounds.high.threshold),
      softness: clamp(place.softness - rate * slope.softness, bounds.low.softness, bounds.high.softness),
    };
    path.push(place);
  }
  return path;
}

function softplus(value: number): number {
  return value > 30 ? value : Math.log1p(Math.exp(value));
}
