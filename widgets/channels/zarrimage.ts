import * as zarr from 'zarrita';
import { fetchBlob, fetchPart, StatusError } from '../shared/files';
import { Problem } from '../shared/problem';
import { parseLabelNames } from './labels';
import { allChannels, firstSeries, parseMultiscale, type Channel } from './omezarr';

export type Pixels = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;
type Dtype = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64' | 'int64' | 'uint64';
type Level = zarr.Array<Dtype>;

const INTEGERS = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'];
/** Types of the values of an image, and of its labels. */
const DTYPES = { 'grey levels': new Set([...INTEGERS, 'float32', 'float64']), labels: new Set([...INTEGERS, 'int64', 'uint64']) };
type Kind = keyof typeof DTYPES;
/** Bytes of files that are kept: a chunk larger than a tile is wanted by several. */
const KEPT_BYTES = 96_000_000;
const [LEAST_TILE, MOST_TILE] = [256, 1024];

/** A plane's part: values row by row. */
export interface Tile {
  width: number;
  height: number;
  pixels: Pixels;
}

/** A rectangle of a level, in its pixels. */
interface Part {
  level: number;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where an image is, with its slash at the end, and in which version of the format. */
interface Place {
  base: string;
  store: Store;
  version: 'v2' | 'v3';
  where: string;
  signal: AbortSignal;
}

/** Files below an address, as zarrita asks for them. */
class Store {
  private readonly kept = new Map<string, Promise<Uint8Array | undefined>>();
  private bytes = 0;

  constructor(
    private readonly base: string,
    private readonly signal: AbortSignal,
  ) {}

  get(key: zarr.AbsolutePath): Promise<Uint8Array | undefined> {
    const found = this.kept.get(key);
    if (found) return found;
    const asked = this.fetch(key);
    this.kept.set(key, asked);
    asked.then(
      (data) => {
        this.bytes += data?.byteLength ?? 0;
        for (const [oldest, file] of this.kept) {
          if (this.bytes <= KEPT_BYTES || oldest === key) break;
          this.kept.delete(oldest);
          void file.then((old) => (this.bytes -= old?.byteLength ?? 0));
        }
      },
      () => this.kept.delete(key),
    );
    return asked;
  }

  async getRange(key: zarr.AbsolutePath, range: zarr.RangeQuery): Promise<Uint8Array | undefined> {
    const kept = await this.kept.get(key);
    try {
      const size = kept?.byteLength ?? ('suffixLength' in range ? await this.sizeOf(key) : 0);
      const from = 'suffixLength' in range ? Math.max(0, size - range.suffixLength) : range.offset;
      const to = 'suffixLength' in range ? size : from + range.length;
      if (kept) return kept.slice(from, to);
      const { data, whole } = await fetchPart(this.addressOf(key), { from, to }, this.signal);
      if (!whole) return data;
      // A host that hands out whole files only is asked once.
      this.kept.set(key, Promise.resolve(data));
      this.bytes += data.byteLength;
      return data.slice(from, to);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The size of a file. It is asked for by itself, since a request for the last bytes needs more of a host's leave. */
  private async sizeOf(key: zarr.AbsolutePath): Promise<number> {
    const address = this.addressOf(key);
    if (!address.startsWith('http')) return (await fetchPart(address, { from: 0, to: 1 }, this.signal)).size ?? 0;
    const response = await fetch(address, { method: 'HEAD', signal: this.signal });
    if (!response.ok) throw new StatusError(response);
    return Number(response.headers.get('Content-Length'));
  }

  private async fetch(key: zarr.AbsolutePath): Promise<Uint8Array | undefined> {
    try {
      const blob = await fetchBlob(this.addressOf(key), this.signal);
      return new Uint8Array(await blob.arrayBuffer());
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  private addressOf(key: zarr.AbsolutePath): string {
    return this.base + key.slice(1);
  }
}

/** Whether a file is not there: it is a chunk of the fill value, or metadata of another version. */
function isMissing(error: unknown): boolean {
  return error instanceof Problem ? error.message.includes('no such file') : error instanceof StatusError && [403, 404, 410].includes(error.status);
}

/** An OME-Zarr image: planes of one or several channels, at several sizes. */
export class ZarrImage {
  readonly width: number;
  readonly height: number;
  readonly planes: number;
  readonly tileSize: number;
  readonly integers: boolean;

  private constructor(
    private readonly levels: readonly Level[],
    private readonly axes: readonly string[],
    readonly channels: Channel[],
    readonly pxPerUm: number | null,
    readonly firstPlane: number,
    private readonly place: Place,
  ) {
    const [full] = levels;
    if (!full) throw new Problem('The OME-Zarr image has no levels.');
    this.width = this.sizeOf(full, 'x');
    this.height = this.sizeOf(full, 'y');
    this.planes = this.sizeOf(full, 'z');
    this.integers = !full.dtype.startsWith('float');
    const chunk = full.chunks[axes.indexOf('x')] ?? MOST_TILE;
    this.tileSize = Math.min(MOST_TILE, Math.max(LEAST_TILE, chunk));
  }

  /** Opens the image at an address; `where` names its host in messages. */
  static async open(address: string, where: string, signal: AbortSignal, codecs: (name: string) => Promise<string>): Promise<ZarrImage> {
    bringCodecs(codecs);
    return ZarrImage.read(address, where, signal, 'grey levels');
  }

  /** The names of the image's labels; none where it has none. */
  async labelNames(): Promise<string[]> {
    const { store, version } = this.place;
    const text = await store.get(version === 'v3' ? '/labels/zarr.json' : '/labels/.zattrs');
    if (!text) return [];
    const value = JSON.parse(new TextDecoder().decode(text)) as { attributes?: unknown };
    return parseLabelNames(version === 'v3' ? value.attributes : value);
  }

  /** Opens labels of the image by their name. */
  openLabels(name: string): Promise<ZarrImage> {
    const { base, where, signal } = this.place;
    return ZarrImage.read(`${base}labels/${name}`, where, signal, 'labels');
  }

  private static async read(address: string, where: string, signal: AbortSignal, kind: Kind): Promise<ZarrImage> {
    let base = address.replace(/\/*$/, '/');
    let store = new Store(base, signal);
    let version: 'v2' | 'v3' = 'v3';
    const attributesOf = async () => {
      const third = await store.get('/zarr.json');
      const text = third ?? (await store.get('/.zattrs'));
      // A file of the other version is not asked for: hosts report what they do not have.
      version = third ? 'v3' : 'v2';
      if (!text) throw new Problem(`${where} has no OME-Zarr image at this address: there is neither zarr.json nor .zattrs.`);
      try {
        const value = JSON.parse(new TextDecoder().decode(text)) as { attributes?: unknown };
        return third ? value.attributes : value;
      } catch {
        throw new Problem(`What ${where} has at this address is no OME-Zarr image.`);
      }
    };
    try {
      let attributes = await attributesOf();
      const series = firstSeries(attributes);
      if (series !== null) {
        base += `${series}/`;
        store = new Store(base, signal);
        attributes = await attributesOf();
      }
      const { paths, axes, pxPerUm, channels, z } = parseMultiscale(attributes, where);
      const root = zarr.root(store);
      const open = (path: string) =>
        version === 'v3' ? zarr.open.v3(root.resolve(path), { kind: 'array' }) : zarr.open.v2(root.resolve(path), { kind: 'array' });
      const levels = await Promise.all(paths.map(open));
      const other = levels.find(({ dtype, shape }) => !DTYPES[kind].has(dtype) || shape.length !== axes.length);
      if (other) throw new Problem(`The OME-Zarr image of ${where} has ${other.dtype} values along ${other.shape.length} axes; ${kind} are wanted along ${axes.join(', ')}.`);
      const [full] = levels;
      const [count, planes] = ['c', 'z'].map((axis) => full?.shape[axes.indexOf(axis)] ?? 1);
      const first = z !== null && Number.isInteger(z) && z >= 0 && z < (planes ?? 1) ? z : Math.floor((planes ?? 1) / 2);
      return new ZarrImage(levels as Level[], axes, allChannels(channels, count ?? 1), pxPerUm, first, { base, store, version, where, signal });
    } catch (error) {
      if (signal.aborted || error instanceof Problem) throw error;
      throw new Problem(problemText(error, where));
    }
  }

  get maxLevel(): number {
    return this.levels.length - 1;
  }

  /** Size of a level; `maxLevel` is the full one. */
  levelSize(level: number): { width: number; height: number } {
    const array = this.level(level);
    return { width: this.sizeOf(array, 'x'), height: this.sizeOf(array, 'y') };
  }

  /** Reads a tile of a plane. */
  async tile(level: number, column: number, row: number, channel: number, z: number): Promise<Tile> {
    const { tileSize } = this;
    const size = this.levelSize(level);
    const [left, top] = [column * tileSize, row * tileSize];
    const [width, height] = [Math.min(size.width - left, tileSize), Math.min(size.height - top, tileSize)];
    return this.read({ level, left, top, width, height }, channel, z);
  }

  /** Reads a part of a plane. */
  async read({ level, left, top, width, height }: Part, channel: number, z: number): Promise<Tile> {
    const array = this.level(level);
    // The z axis may be shrunk as well.
    const plane = Math.min(this.sizeOf(array, 'z') - 1, Math.floor((z * this.sizeOf(array, 'z')) / this.planes));
    const part: Partial<Record<string, number | zarr.Slice>> = { c: channel, z: plane, y: zarr.slice(top, top + height), x: zarr.slice(left, left + width) };
    const { data: values, stride } = await zarr.get(array, this.axes.map((axis) => part[axis] ?? 0));
    // Labels are often of 64 bits, and never as large.
    const data = values instanceof BigInt64Array || values instanceof BigUint64Array ? Float64Array.from(values, Number) : values;
    return { width, height, pixels: this.axes.indexOf('y') < this.axes.indexOf('x') ? data : transposed(data, width, height, stride) };
  }

  private level(level: number): Level {
    const array = this.levels[this.maxLevel - level];
    if (!array) throw new Error(`no level ${level}`);
    return array;
  }

  private sizeOf(array: Level, axis: string): number {
    return array.shape[this.axes.indexOf(axis)] ?? 1;
  }
}

function transposed(data: Pixels, width: number, height: number, stride: number[]): Pixels {
  const pixels = data.slice();
  const [x = 1, y = 1] = stride;
  for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) pixels[row * width + column] = data[row * y + column * x] ?? 0;
  return pixels;
}

function problemText(error: unknown, where: string): string {
  if (error instanceof StatusError) return `${where} does not hand out this image now (status ${error.status}).`;
  if (error instanceof TypeError) return `${where} does not answer: there is no network, or it does not let other sites show its images.`;
  const reason = error instanceof Error ? error.message.split('\n')[0] : '';
  return `The OME-Zarr image of ${where} cannot be read${reason ? `: ${reason}` : ''}.`;
}

/** Compressions of which each is a file of its own, that is loaded once an image has it. */
const CODECS = ['blosc', 'lz4', 'zstd'];

function bringCodecs(addressOf: (name: string) => Promise<string>): void {
  for (const name of CODECS) {
    const load = async () => ((await import(await addressOf(name))) as { default: never }).default;
    zarr.registry.set(name, load);
    zarr.registry.set(`numcodecs.${name}`, load);
  }
}
