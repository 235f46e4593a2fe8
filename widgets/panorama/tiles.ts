import { fetchBlob } from '../shared/files';
import { levelSize, nearestSample, overviewLevel, shrinkOf, type Pyramid, type TileId } from '../shared/pyramid';
import { decodeLabels, type LabelTile } from './labelpng';

const REQUESTS_AT_ONCE = 6;
/** A tile takes 1 MB; those in view are kept beyond this number. */
const TILES_KEPT = 64;
/** A tile that could not be loaded is asked for again after these waits, in ms, before that is reported. */
const WAITS = [600, 2400];

/** The label tiles of a panorama: fetches those wanted, keeps those used last, and finds which nucleus is where. */
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

  /** Whether some of the wanted tiles could not be loaded. */
  get missing(): boolean {
    return this.wanted.some((tile) => this.failed.has(key(tile)));
  }

  /** Asks again for what could not be loaded. */
  retry(): void {
    this.failed.clear();
    this.request();
  }

  /** The tile at hand, from the web if need be. */
  async fetch(tile: TileId, signal: AbortSignal): Promise<LabelTile> {
    return this.get(tile) ?? this.read(tile, signal);
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
    const { signal } = request;
    this.requests.set(name, request);
    for (const wait of [0, ...WAITS]) {
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (signal.aborted) return;
      try {
        const loaded = await this.read(tile, signal);
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it may have been given up meanwhile
        if (signal.aborted) return;
        this.tiles.set(name, loaded);
        this.forget();
        break;
      } catch {
        // The next attempt may go better.
      }
    }
    if (signal.aborted) return;
    this.requests.delete(name);
    if (this.tiles.has(name)) this.events.loaded(tile);
    else {
      this.failed.add(name);
      this.events.failed();
    }
    this.request();
  }

  private async read(tile: TileId, signal: AbortSignal): Promise<LabelTile> {
    const { pyramid } = this;
    return pyramid.readLabels?.(tile, signal) ?? decodeLabels(await fetchBlob(pyramid.tileAddress(tile), signal));
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
