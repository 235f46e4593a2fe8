/** Numbers in rows. */
export interface Grid {
  readonly width: number;
  readonly height: number;
  readonly values: ArrayLike<number>;
}

/** The nine numbers under a kernel of 3 by 3 whose middle is at a pixel; beyond the edge everything counts as 0. */
export function under({ width, height, values }: Grid, x: number, y: number): number[] {
  const found: number[] = [];
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const inside = x + dx >= 0 && y + dy >= 0 && x + dx < width && y + dy < height;
      found.push(inside ? (values[(y + dy) * width + x + dx] ?? 0) : 0);
    }
  }
  return found;
}

/** The sum of nine numbers, each times its weight. */
export function weightedSum(numbers: readonly number[], kernel: readonly number[]): number {
  return numbers.reduce((sum, number, at) => sum + number * (kernel[at] ?? 0), 0);
}

/**
 * The convolution of an image, as networks compute it: the kernel is not turned. With `rectified` what is below 0 becomes
 * 0, the activation that follows in most networks.
 */
export function convolve(image: Grid, kernel: readonly number[], rectified = false): Float64Array {
  const result = new Float64Array(image.width * image.height);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const sum = weightedSum(under(image, x, y), kernel);
      result[y * image.width + x] = rectified ? Math.max(0, sum) : sum;
    }
  }
  return result;
}

export const POOLING = ['brightest', 'mean', 'first'] as const;
export type Pooling = (typeof POOLING)[number];

/** Puts one number in the place of each block of 2 by 2; a row or column that is left over is dropped. */
export function pool({ width, height, values }: Grid, rule: Pooling): Grid {
  const [w, h] = [Math.floor(width / 2), Math.floor(height / 2)];
  const pooled = new Float64Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = 2 * y * width + 2 * x;
      const block = [at, at + 1, at + width, at + width + 1].map((place) => values[place] ?? 0);
      pooled[y * w + x] = rule === 'brightest' ? Math.max(...block) : rule === 'mean' ? block.reduce((a, b) => a + b, 0) / 4 : (block[0] ?? 0);
    }
  }
  return { width: w, height: h, values: pooled };
}
