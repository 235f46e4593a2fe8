import type { Output } from './dynamics';
import type { Box, Floats } from './plane';

/* The network over a whole image, as `nnbook.segmentation.network` runs it: overlapping tiles, blended by Cellpose's taper. */

const TILE_OVERLAP_PX = 40;
const TAPER_PX = 7.5;
const PADDING_PX = 8;
const NETWORK_STEP_PX = 16;
const MOST_NETWORK_PX = 400_000_000;

/** Largest side of a tile. The network's style is a mean over a tile: with tiles of another size, masks would differ by 1 %. */
export const PYTHON_TILE_PX = 656;

/** Logit of the cell probability where the network has not been. */
export const NOTHING_SEEN = -20;

/** A tile of the image with its padding: what the network takes, for two channels of which the second is empty. */
export interface Tile {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The size of an image at the network's scale; null where that is too large, so that the diameter must be wrong. */
export function networkSize({ width, height }: { width: number; height: number }, scale: number): { width: number; height: number } | null {
  const size = { width: Math.max(1, Math.trunc(width * scale)), height: Math.max(1, Math.trunc(height * scale)) };
  return size.width * size.height > MOST_NETWORK_PX ? null : size;
}

/** An image in tiles, and the network's output put together from theirs. */
export class Tiling {
  readonly tiles: Tile[] = [];
  private readonly padded: Floats;
  private readonly before: { x: number; y: number };
  private readonly total: Float32Array;
  private readonly weight: Float32Array;
  private readonly taper: { rows: Float64Array; columns: Float64Array };

  constructor(
    private readonly image: Floats,
    tileSide: number,
  ) {
    const [x, y] = [padding(image.width), padding(image.height)];
    const [width, height] = [image.width + x[0] + x[1], image.height + y[0] + y[1]];
    this.before = { x: x[0], y: y[0] };
    this.padded = { width, height, data: new Float32Array(width * height) };
    for (let row = 0; row < image.height; row++) {
      this.padded.data.set(image.data.subarray(row * image.width, (row + 1) * image.width), (row + y[0]) * width + x[0]);
    }
    const [rows, columns] = [tilesAlong(height, tileSide), tilesAlong(width, tileSide)];
    for (const top of rows.starts) for (const left of columns.starts) this.tiles.push({ x: left, y: top, width: columns.side, height: rows.side });
    this.taper = { rows: taper(rows.side), columns: taper(columns.side) };
    this.total = new Float32Array(3 * width * height);
    this.weight = new Float32Array(width * height);
  }

  /** What the network is given of a tile. */
  input({ x, y, width, height }: Tile): Float32Array {
    const data = new Float32Array(2 * width * height);
    for (let row = 0; row < height; row++) {
      const from = (y + row) * this.padded.width + x;
      data.set(this.padded.data.subarray(from, from + width), row * width);
    }
    return data;
  }

  /** Adds what the network made of a tile. */
  add({ x, y, width, height }: Tile, output: Float32Array): void {
    const { padded, taper, total, weight } = this;
    const size = padded.width * padded.height;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const share = Math.fround((taper.rows[row] ?? 0) * (taper.columns[column] ?? 0));
        const at = (y + row) * padded.width + x + column;
        const from = row * width + column;
        for (let channel = 0; channel < 3; channel++) {
          const place = channel * size + at;
          total[place] = (total[place] ?? 0) + Math.fround((output[channel * width * height + from] ?? 0) * share);
        }
        weight[at] = (weight[at] ?? 0) + share;
      }
    }
  }

  /** What the network made of a tile without its rim, where other tiles have a say, and where in the image that is. */
  part({ x, y, width, height }: Tile, output: Float32Array): { box: Box; output: Output } {
    const { before, image } = this;
    const rim = TILE_OVERLAP_PX / 2;
    const box = {
      left: Math.max(0, x - before.x + (x > 0 ? rim : 0)),
      top: Math.max(0, y - before.y + (y > 0 ? rim : 0)),
      right: Math.min(image.width, x - before.x + width - rim),
      bottom: Math.min(image.height, y - before.y + height - rim),
    };
    const [wide, high] = [box.right - box.left, box.bottom - box.top];
    const channels = new Float32Array(3 * wide * high);
    for (let channel = 0; channel < 3; channel++) {
      for (let row = 0; row < high; row++) {
        const from = (channel * height + box.top + row + before.y - y) * width + box.left + before.x - x;
        channels.set(output.subarray(from, from + wide), (channel * high + row) * wide);
      }
    }
    return { box, output: { width: wide, height: high, channels } };
  }

  /** The output as far as tiles have been added: where none has, there is no nucleus. */
  output(): Output {
    const { before, image, padded, total, weight } = this;
    const [size, own] = [padded.width * padded.height, image.width * image.height];
    const channels = new Float32Array(3 * own);
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) {
        const from = (y + before.y) * padded.width + x + before.x;
        const at = y * image.width + x;
        const sum = weight[from] ?? 0;
        for (let channel = 0; channel < 3; channel++) {
          channels[channel * own + at] = sum === 0 ? (channel === 2 ? NOTHING_SEEN : 0) : (total[channel * size + from] ?? 0) / sum;
        }
      }
    }
    return { width: image.width, height: image.height, channels };
  }
}

/** How many zeros go before and after: at least 8 px each, up to a multiple of 16 px in all. */
function padding(side: number): [number, number] {
  const missing = (NETWORK_STEP_PX - (side % NETWORK_STEP_PX)) % NETWORK_STEP_PX;
  return [PADDING_PX + (missing >> 1), PADDING_PX + missing - (missing >> 1)];
}

/** Where tiles start along one axis, and their side: as few and as small as possible, spread evenly. */
function tilesAlong(side: number, most: number): { starts: number[]; side: number } {
  const count = Math.max(1, Math.ceil((side - TILE_OVERLAP_PX) / (most - TILE_OVERLAP_PX)));
  const needed = Math.ceil((side + (count - 1) * TILE_OVERLAP_PX) / count);
  const tile = needed + ((NETWORK_STEP_PX - (needed % NETWORK_STEP_PX)) % NETWORK_STEP_PX);
  const starts = Array.from({ length: count }, (_, at) => (count === 1 ? 0 : Math.trunc((at * (side - tile)) / (count - 1))));
  return { starts, side: tile };
}

/** The weights of a tile's pixels along one axis: a half 20 px from the edge. */
function taper(side: number): Float64Array {
  return Float64Array.from({ length: side }, (_, at) => {
    const offset = Math.abs(at - (side - 1) / 2);
    return 1 / (1 + Math.exp((offset - (side / 2 - TILE_OVERLAP_PX / 2)) / TAPER_PX));
  });
}
