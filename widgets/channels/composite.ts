import OpenSeadragon from 'openseadragon';
import type { Channel } from './omezarr';
import type { Tile, ZarrImage } from './zarrimage';

/** How an image is shown: the channels, and the z plane. */
export interface Look {
  channels: readonly (Channel & { range: [number, number] })[];
  z: number;
}

interface Painted {
  level: number;
  column: number;
  row: number;
  context: CanvasRenderingContext2D;
}

/** Bytes of values that are kept, for when colours or ranges change. */
const KEPT_BYTES = 256_000_000;

/** Adds channels up: each in its colour, from black at the low end of its range to the full colour at the high end. */
export function paintChannels(tiles: readonly { tile: Tile; channel: Look['channels'][number] }[], out: Uint8ClampedArray): void {
  const sums = new Float32Array((3 * out.length) / 4);
  for (const { tile, channel } of tiles) {
    const rgb = Number.parseInt(channel.colour.slice(1), 16);
    const [red, green, blue] = [rgb >> 16, (rgb >> 8) & 0xff, rgb & 0xff];
    const [low, high] = channel.range;
    const { pixels } = tile;
    for (let at = 0, to = 0; at < pixels.length; at++, to += 3) {
      const share = ((pixels[at] ?? 0) - low) / (high - low);
      if (!(share > 0)) continue;
      const level = Math.min(1, share);
      sums[to] = (sums[to] ?? 0) + red * level;
      sums[to + 1] = (sums[to + 1] ?? 0) + green * level;
      sums[to + 2] = (sums[to + 2] ?? 0) + blue * level;
    }
  }
  for (let from = 0, to = 0; to < out.length; from += 3, to += 4) {
    out[to] = sums[from] ?? 0;
    out[to + 1] = sums[from + 1] ?? 0;
    out[to + 2] = sums[from + 2] ?? 0;
    out[to + 3] = 255;
  }
}

/** The tiles of an image for OpenSeadragon, its channels added up; they are painted anew where the look changes. */
export class Composite {
  readonly source: OpenSeadragon.TileSource;
  private readonly painted = new Set<Painted>();
  private readonly tiles = new Map<string, Promise<Tile>>();
  private bytes = 0;
  private round = 0;

  constructor(
    private readonly image: ZarrImage,
    private look: Look,
  ) {
    const { width, height, tileSize, maxLevel } = image;
    const source = new OpenSeadragon.TileSource({ width, height, tileSize, tileOverlap: 0, minLevel: 0, maxLevel });
    source.getLevelScale = (level: number) => image.levelSize(level).width / width;
    source.getTileUrl = (level, column, row) => `zarr/${level}/${column}/${row}`;
    source.downloadTileStart = (job) => {
      const [level = 0, column = 0, row = 0] = job.src.split('/').slice(1).map(Number);
      void this.make(level, column, row).then(
        (context) => {
          job.finish(context, null, 'context2d');
        },
        (error: unknown) => {
          job.fail(String(error), null);
        },
      );
    };
    source.downloadTileAbort = () => undefined;
    this.source = source;
  }

  /** Paints all tiles anew; resolves once they are, or another look came. */
  async show(look: Look): Promise<void> {
    this.look = look;
    const round = ++this.round;
    await Promise.all(
      [...this.painted].map(async (tile) => {
        if (tile.context.canvas.width > 0) await this.paint(tile, () => round === this.round);
        else this.painted.delete(tile); // OpenSeadragon has let go of it
      }),
    );
  }

  /** The value of each shown channel at a pixel of the image, of the finest tile at hand. */
  async values(x: number, y: number): Promise<{ name: string; value: number }[]> {
    const { image, look } = this;
    for (let level = image.maxLevel; level >= 0; level--) {
      const size = image.levelSize(level);
      const [column, row] = [Math.floor((x * size.width) / image.width), Math.floor((y * size.height) / image.height)];
      const side = image.tileSize;
      const found = look.channels.flatMap(({ name, shown }, channel) => {
        const tile = shown ? this.tiles.get(keyOf(level, Math.floor(column / side), Math.floor(row / side), channel, look.z)) : undefined;
        return tile ? [{ name, tile }] : [];
      });
      if (found.length === 0) continue;
      return Promise.all(found.map(async ({ name, tile }) => {
        const { pixels, width } = await tile;
        return { name, value: pixels[(row % side) * width + (column % side)] ?? 0 };
      }));
    }
    return [];
  }

  /** The values of a channel in the smallest level, for its range. */
  async overview(channel: number, z: number): Promise<Tile['pixels']> {
    return (await this.tile(0, 0, 0, channel, z)).pixels;
  }

  private async make(level: number, column: number, row: number): Promise<CanvasRenderingContext2D> {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no 2D canvas');
    const size = this.image.levelSize(level);
    const side = this.image.tileSize;
    canvas.width = Math.min(side, size.width - column * side);
    canvas.height = Math.min(side, size.height - row * side);
    const tile = { level, column, row, context };
    let round: number;
    do {
      round = this.round;
      await this.paint(tile, () => true);
    } while (round !== this.round);
    this.painted.add(tile);
    return context;
  }

  private async paint({ level, column, row, context }: Painted, wanted: () => boolean): Promise<void> {
    const { channels, z } = this.look;
    const shown = channels.flatMap((channel, at) => (channel.shown ? [{ channel, at }] : []));
    const tiles = await Promise.all(shown.map(async ({ channel, at }) => ({ channel, tile: await this.tile(level, column, row, at, z) })));
    const { width, height } = context.canvas;
    if (!wanted() || width === 0) return;
    const data = context.createImageData(width, height);
    paintChannels(tiles, data.data);
    context.putImageData(data, 0, 0);
  }

  private tile(level: number, column: number, row: number, channel: number, z: number): Promise<Tile> {
    const key = keyOf(level, column, row, channel, z);
    const found = this.tiles.get(key);
    this.tiles.delete(key);
    const tile = found ?? this.image.tile(level, column, row, channel, z);
    this.tiles.set(key, tile);
    if (!found) {
      tile.then(
        ({ pixels }) => {
          this.bytes += pixels.byteLength;
          this.forget();
        },
        () => this.tiles.delete(key),
      );
    }
    return tile;
  }

  private forget(): void {
    for (const [key, tile] of this.tiles) {
      if (this.bytes <= KEPT_BYTES) return;
      this.tiles.delete(key);
      void tile.then(({ pixels }) => (this.bytes -= pixels.byteLength));
    }
  }
}

function keyOf(...parts: number[]): string {
  return parts.join('/');
}

/** The range that holds all but the least and the greatest two thousandths of the values. */
export function usualRange(pixels: Tile['pixels']): [number, number] {
  const sorted = Float64Array.from(pixels).filter(Number.isFinite).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const [low, high] = [at(0.002), at(0.998)];
  return low < high ? [low, high] : [low, low + 1];
}
