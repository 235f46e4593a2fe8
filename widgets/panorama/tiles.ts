import { fetchBlob } from '../shared/files';
import { levelSize, nearestSample, overviewLevel, shrinkOf, type Pyramid, type TileId } from './pyramid';

/** Label numbers of one tile, row by row. */
export interface LabelTile {
  width: number;
  height: number;
  labels: Uint32Array;
}

const REQUESTS_AT_ONCE = 6;
/** A tile takes 1 MB; those in view are kept beyond this number. */
const TILES_KEPT = 64;
const LABEL_BITS = 0xffffff;

/** The label tiles of a panorama: fetches those wanted, keeps those used last, and tells which nucleus is where. */
export class LabelTiles {
  private readonly tiles = new Map<string, LabelTile>();
  private readonly requests = new Map<string, AbortController>();
  private readonly failed = new Set<string>();
  private wanted: TileId[] = [];
  private wantedKeys = new Set<string>();

  constructor(
    readonly pyramid: Pyramid,
    private readonly events: { loaded(tile: TileId): void; failed(): void },
  ) {}

  /** Sets the tiles to have, most urgent first; requests for others are given up. */
  want(tiles: TileId[]): void {
    this.wanted = tiles;
    this.wantedKeys = new Set(tiles.map(key));
    for (const [name, request] of this.requests) {
      if (!this.wantedKeys.has(name)) {
        request.abort();
        this.requests.delete(name);
      }
    }
    this.request();
  }

  /** Whether all the wanted tiles have come, or never will. */
  get settled(): boolean {
    return this.wanted.every((tile) => this.tiles.has(key(tile)) || this.failed.has(key(tile)));
  }

  get(tile: TileId): LabelTile | undefined {
    const name = key(tile);
    const found = this.tiles.get(name);
    if (found) {
      // A Map keeps the order of insertion: the first tile is the one used longest ago.
      this.tiles.delete(name);
      this.tiles.set(name, found);
    }
    return found;
  }

  /** The label at an image pixel, from the finest tile at hand; null where none is. */
  labelAt(x: number, y: number): number | null {
    const { pyramid } = this;
    if (x < 0 || y < 0 || x >= pyramid.width || y >= pyramid.height) return null;
    for (let level = pyramid.maxLevel; level >= overviewLevel(pyramid); level--) {
      const shrink = shrinkOf(pyramid, level);
      const size = levelSize(pyramid, level);
      const column = nearestSample(x, shrink, size.width);
      const row = nearestSample(y, shrink, size.height);
      const side = pyramid.tileSize;
      const tile = this.tiles.get(
        key({ level, column: Math.floor(column / side), row: Math.floor(row / side) }),
      );
      if (tile) return tile.labels[(row % side) * tile.width + (column % side)] ?? null;
    }
    return null;
  }

  destroy(): void {
    this.want([]);
    this.tiles.clear();
  }

  private request(): void {
    for (const tile of this.wanted) {
      if (this.requests.size >= REQUESTS_AT_ONCE) return;
      const name = key(tile);
      if (!this.tiles.has(name) && !this.requests.has(name) && !this.failed.has(name)) void this.load(tile, name);
    }
  }

  private async load(tile: TileId, name: string): Promise<void> {
    const request = new AbortController();
    this.requests.set(name, request);
    try {
      const loaded = await fetchTile(this.pyramid.tileAddress(tile), request.signal);
      if (request.signal.aborted) return;
      this.tiles.set(name, loaded);
      this.forget();
      this.requests.delete(name);
      this.events.loaded(tile);
    } catch {
      if (request.signal.aborted) return;
      this.requests.delete(name);
      this.failed.add(name);
      this.events.failed();
    }
    this.request();
  }

  private forget(): void {
    for (const name of this.tiles.keys()) {
      if (this.tiles.size <= TILES_KEPT) return;
      if (!this.wantedKeys.has(name)) this.tiles.delete(name);
    }
  }
}

function key(tile: TileId): string {
  return `${tile.level}/${tile.column}_${tile.row}`;
}

async function fetchTile(address: string, signal: AbortSignal): Promise<LabelTile> {
  // Either conversion would change label numbers.
  const bitmap = await createImageBitmap(await fetchBlob(address, signal), {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  });
  const { width, height } = bitmap;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2D canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const labels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  // Red is the lowest byte; the highest is alpha.
  for (let at = 0; at < labels.length; at++) labels[at] = (labels[at] ?? 0) & LABEL_BITS;
  return { width, height, labels };
}
