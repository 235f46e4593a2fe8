import type { Grid } from './filters';

/** How a crop is varied: turned by an angle in degrees, mirrored, and made larger. */
export interface Turn {
  readonly angle: number;
  readonly mirrored: boolean;
  readonly size: number;
}

/** An image turned about its middle; between pixels it is linear, or with `nearest` the value of the nearest one. What comes from beyond the edge is 0. */
export function turned({ width, height, values }: Grid, { angle, mirrored, size }: Turn, nearest = false): Float64Array {
  const [sine, cosine] = [Math.sin((angle * Math.PI) / 180) / size, Math.cos((angle * Math.PI) / 180) / size];
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : (values[y * width + x] ?? 0));
  const result = new Float64Array(width * height);
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [(x - middleX) * (mirrored ? -1 : 1), y - middleY];
      const [fromX, fromY] = [middleX + cosine * dx + sine * dy, middleY - sine * dx + cosine * dy];
      if (nearest) {
        result[y * width + x] = at(Math.round(fromX), Math.round(fromY));
        continue;
      }
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const [right, down] = [fromX - left, fromY - top];
      result[y * width + x] =
        (1 - down) * ((1 - right) * at(left, top) + right * at(left + 1, top)) + down * ((1 - right) * at(left, top + 1) + right * at(left + 1, top + 1));
    }
  }
  return result;
}
