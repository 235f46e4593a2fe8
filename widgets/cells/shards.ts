import type { FirstDraw } from './collection';
import { isRecord } from '../shared/json';
import { PartialFile } from '../shared/partial';
import { Problem } from '../shared/problem';
import { inflated } from '../shared/inflate';

/** How an array of images is stored in its shards: many images a file, each compressed for itself, and an index of them. */
export interface Layout {
  images: number;
  /** Width and height of an image. */
  side: number;
  perShard: number;
  /** Where a shard has its index. */
  index: 'start' | 'end';
  gzip: boolean;
  separator: string;
}

/** Where a shard has an image; null where it has none, which means a black one. */
export type Place = { from: number; to: number } | null;

const ENTRY_BYTES = 16;
/** The shard of the cells that a view begins with. */
const DRAWN = -1;
const CHECKSUM_BYTES = 4;
const NOWHERE = 2n ** 64n - 1n;

/** Reads the `zarr.json` of an array of images; `what` names it where it is not such. */
export function parseLayout(text: string, what: string): Layout {
  const damaged = new Problem(`${what} cannot be read: their description is damaged.`);
  const foreign = new Problem(`${what} are stored in a way that this view does not read: it reads what nnbook cells writes.`);
  let array: unknown;
  try {
    array = JSON.parse(text);
  } catch {
    throw damaged;
  }
  if (!isRecord(array) || array.node_type !== 'array') throw damaged;
  const [images, side, width] = numbers(array.shape);
  const [perShard, shardSide] = numbers(configuration(array.chunk_grid).chunk_shape);
  const keys = configuration(array.chunk_key_encoding);
  const [sharding, ...others] = list(array.codecs);
  const shards = configuration(sharding);
  const [one, chunkSide] = numbers(shards.chunk_shape);
  const codecs = list(shards.codecs).map(name);
  const indexCodecs = list(shards.index_codecs).map(name).join();
  if (images === undefined || side === undefined || perShard === undefined) throw damaged;
  const known =
    array.zarr_format === 3 && array.data_type === 'uint8' && array.fill_value === 0 && side === width &&
    side === shardSide && side === chunkSide && one === 1 && name(sharding) === 'sharding_indexed' &&
    others.length === 0 && ['bytes', 'bytes,gzip'].includes(codecs.join()) && indexCodecs === 'bytes,crc32c' &&
    name(array.chunk_key_encoding) === 'default' && perShard >= 1;
  if (!known) throw foreign;
  return {
    images,
    side,
    perShard,
    index: shards.index_location === 'start' ? 'start' : 'end',
    gzip: codecs.includes('gzip'),
    separator: keys.separator === '.' ? '.' : '/',
  };
}

/**
 * The shards of an array of images of cells, of which each holds as many as it says, and one more of cells drawn first, which
 * is stored alike.
 *
 * The checksum of an index is not checked, since mostly only some of its entries are read; that of gzip reveals damage
 * to an image.
 */
export class Shards {
  private readonly open = new Map<number, { file: PartialFile; places: Map<number, Place> }>();
  /** The first cell of each shard. */
  private readonly firsts: number[];
  /** The places of cells that are drawn first, in the shard of those. */
  private readonly drawn: ReadonlyMap<number, number>;

  constructor(
    /** Address of the array's folder. */
    private readonly address: string,
    readonly layout: Layout,
    /** How many cells each shard holds. */
    held: readonly number[],
    /** Most bytes of whole shards that are kept, of a host that hands out no parts. */
    private readonly mostBytes: number,
    /** Cells that are drawn first, whose images are in a shard of their own as well. */
    private readonly draw: FirstDraw | null,
  ) {
    this.drawn = new Map(draw?.cells.map((cell, place) => [cell, place]));
    let first = 0;
    this.firsts = held.map((cells) => (first += cells) - cells);
  }

  /** The shard that has the image of a cell. */
  shardOf(cell: number): number {
    if (this.drawn.has(cell)) return DRAWN;
    let [from, to] = [0, this.firsts.length];
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if ((this.firsts[middle] ?? 0) <= cell) from = middle;
      else to = middle;
    }
    return from;
  }

  /** The places of images of one shard. One request fetches them all: of an index at the start only what is between them. */
  async places(shard: number, images: number[], signal: AbortSignal): Promise<Map<number, Place>> {
    const { places } = this.shard(shard);
    const unknown = images.filter((image) => !places.has(image));
    if (unknown.length > 0) await this.readIndex(shard, unknown, signal);
    return new Map(images.map((image) => [image, places.get(image) ?? null]));
  }

  /** Bytes of a shard. */
  async bytes(shard: number, from: number, to: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { data } = await this.shard(shard).file.read({ from, to }, signal);
    this.forgetOld();
    if (data.byteLength !== to - from) throw new Error(`shard ${shard} is cut off`);
    return data;
  }

  /** The pixels of an image, from its bytes as stored. */
  async decode(stored: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const { gzip, side } = this.layout;
    if (gzip) return inflated(stored, side * side, 'gzip');
    if (stored.byteLength !== side * side) throw new Error('an image of another size');
    return stored;
  }

  private shard(number: number) {
    let shard = this.open.get(number);
    if (shard) this.open.delete(number);
    else {
      const { separator } = this.layout;
      const path = ['c', Math.max(number, 0), 0, 0].join(separator);
      const address = number === DRAWN && this.draw ? this.draw.thumbnails : this.address;
      shard = { file: new PartialFile(`${address}/${path}`), places: new Map() };
    }
    this.open.set(number, shard); // the last used comes last
    return shard;
  }

  private async readIndex(number: number, images: number[], signal: AbortSignal): Promise<void> {
    const { perShard, index } = this.layout;
    const { file, places } = this.shard(number);
    const firstCell = this.firsts[number] ?? 0;
    const drawn = number === DRAWN ? (this.draw?.cells ?? []) : null;
    const rows = images.map((image) => (drawn ? (this.drawn.get(image) ?? 0) : image - firstCell));
    const [first, last] = index === 'start' ? [Math.min(...rows), Math.max(...rows)] : [0, (drawn?.length ?? perShard) - 1];
    const bytes = (last - first + 1) * ENTRY_BYTES;
    const span =
      index === 'start' ? { from: first * ENTRY_BYTES, to: first * ENTRY_BYTES + bytes } : { from: -(bytes + CHECKSUM_BYTES) };
    const { data } = await file.read(span, signal);
    this.forgetOld();
    if (data.byteLength < bytes) throw new Error(`shard ${number} is cut off`);
    const entries = new DataView(data.buffer, data.byteOffset, bytes);
    for (let row = first; row <= last; row++) {
      const at = (row - first) * ENTRY_BYTES;
      const [offset, size] = [entries.getBigUint64(at, true), entries.getBigUint64(at + 8, true)];
      const from = Number(offset);
      places.set(drawn?.[row] ?? firstCell + row, offset === NOWHERE ? null : { from, to: from + Number(size) });
    }
  }

  /** Lets go of the shards that were not used for longest. */
  private forgetOld(): void {
    let bytes = 0;
    for (const { file } of this.open.values()) bytes += file.bytesKept;
    for (const [number, { file }] of this.open) {
      if (bytes <= this.mostBytes || this.open.size === 1) return;
      if (file.bytesKept === 0) continue;
      bytes -= file.bytesKept;
      this.open.delete(number);
    }
  }
}

/** Bytes between two images that are fetched with them rather than asking twice: a request costs about as much time. */
const GAP_BYTES = 16_384;
const MOST_BYTES = 1_000_000;

/** Joins places of one shard into spans to be fetched at once. */
export function spansOf(places: Iterable<readonly [number, Place]>): { from: number; to: number; images: number[] }[] {
  const sorted = [...places].flatMap(([image, place]) => (place ? [{ image, ...place }] : []));
  sorted.sort((a, b) => a.from - b.from);
  const spans: { from: number; to: number; images: number[] }[] = [];
  for (const { image, from, to } of sorted) {
    const last = spans.at(-1);
    if (last && from - last.to <= GAP_BYTES && to - last.from <= MOST_BYTES) {
      last.to = Math.max(last.to, to);
      last.images.push(image);
    } else spans.push({ from, to, images: [image] });
  }
  return spans;
}

function configuration(value: unknown): Record<string, unknown> {
  return isRecord(value) && isRecord(value.configuration) ? value.configuration : {};
}

function name(value: unknown): unknown {
  return isRecord(value) ? value.name : null;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function numbers(value: unknown): number[] {
  return list(value).filter((entry): entry is number => Number.isSafeInteger(entry) && (entry as number) >= 0);
}
