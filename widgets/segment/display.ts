import { percentile, type Image, type Plane } from './plane';
import { sampled } from './scale';

/** Side of a tile in pixels of its level. */
export const TILE_SIDE = 512;

/** An image as it is shown: 8 bits, at full size and at halves of it, of which all but the first are kept. */
export class Display {
  readonly range: [number, number];
  readonly maxLevel: number;
  private readonly halves: Plane<Uint8Array>[] = [];
  private readonly table: Uint8Array | null;

  constructor(private readonly image: Image) {
    const { width, height, data } = image;
    this.maxLevel = Math.ceil(Math.log2(Math.max(width, height, 1)));
    this.range = data instanceof Uint8Array ? [0, 255] : usualRange(image);
    this.table = data instanceof Uint16Array ? Uint8Array.from({ length: 65_536 }, (_, value) => this.shown(value)) : null;
    const overview = Math.max(0, this.maxLevel - Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / TILE_SIDE))));
    for (let level = this.maxLevel - 1; level >= overview; level--) this.halves.push(this.half());
  }

  /** A tile of a level. */
  tile(level: number, column: number, row: number): Plane<Uint8Array<ArrayBuffer>> {
    const plane = level >= this.maxLevel ? this.image : this.halves[this.maxLevel - 1 - level];
    if (!plane) throw new RangeError(`no level ${level}`);
    const [left, top] = [column * TILE_SIDE, row * TILE_SIDE];
    const [width, height] = [Math.min(TILE_SIDE, plane.width - left), Math.min(TILE_SIDE, plane.height - top)];
    const data = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const from = (top + y) * plane.width + left;
      if (plane.data instanceof Uint8Array) data.set(plane.data.subarray(from, from + width), y * width);
      else for (let x = 0; x < width; x++) data[y * width + x] = this.shown(plane.data[from + x] ?? 0);
    }
    return { width, height, data };
  }

  private shown(value: number): number {
    if (this.image.data instanceof Uint8Array) return value;
    const [low, high] = this.range;
    return Math.min(255, Math.max(0, Math.round((255 * (value - low)) / (high - low))));
  }

  /** The level below the smallest so far: the mean of four pixels. */
  private half(): Plane<Uint8Array> {
    const last = this.halves.at(-1);
    const [source, raw] = last ? [last, false] : [this.image, true];
    const [width, height] = [Math.ceil(source.width / 2), Math.ceil(source.height / 2)];
    const out = new Uint8Array(width * height);
    const { data } = source;
    const { table } = this;
    const plain = !raw || data instanceof Uint8Array;
    const value = (at: number) => (plain ? (data[at] ?? 0) : table ? (table[data[at] ?? 0] ?? 0) : this.shown(data[at] ?? 0));
    for (let y = 0; y < height; y++) {
      const top = 2 * y * source.width;
      const bottom = Math.min(2 * y + 1, source.height - 1) * source.width;
      for (let x = 0; x < width; x++) {
        const [left, right] = [2 * x, Math.min(2 * x + 1, source.width - 1)];
        out[y * width + x] = (value(top + left) + value(top + right) + value(bottom + left) + value(bottom + right) + 2) >> 2;
      }
    }
    return { width, height, data: out };
  }
}

/** Grey levels that hold all but the least and the greatest thousandth. */
function usualRange(image: Image): [number, number] {
  const { data } = sampled(image, Math.max(1, Math.floor(Math.sqrt((image.width * image.height) / 500_000))));
  const [low, high] = [percentile(data, 0.1), percentile(data, 99.9)];
  return low < high ? [low, high] : [low, low + 1];
}
