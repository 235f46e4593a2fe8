import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FirstDraw } from './collection';
import { CellImages } from './images';
import { parseLayout, Shards, spansOf } from './shards';

const SIDE = 4;
const PER_SHARD = 8;
const CHECKSUM = 4;

function description(change: (array: Record<string, unknown>, sharding: Record<string, unknown>) => void = () => undefined, index = 'start') {
  const sharding = {
    chunk_shape: [1, SIDE, SIDE],
    codecs: [{ name: 'bytes' }, { name: 'gzip', configuration: { level: 5 } }],
    index_codecs: [{ name: 'bytes', configuration: { endian: 'little' } }, { name: 'crc32c' }],
    index_location: index,
  };
  const array = {
    zarr_format: 3,
    node_type: 'array',
    shape: [20, SIDE, SIDE],
    data_type: 'uint8',
    fill_value: 0,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [PER_SHARD, SIDE, SIDE] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    codecs: [{ name: 'sharding_indexed', configuration: sharding }],
  };
  change(array, sharding);
  return JSON.stringify(array);
}

async function gzipped(pixels: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([pixels]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

/** The image of a cell: all of its pixels are its number. */
const imageOf = (cell: number) => new Uint8Array(SIDE * SIDE).fill(cell);

/** A shard as Zarr writes it; `space` is put between images. */
async function shardOf(cells: number[], index: string, { missing = -1, space = 0 } = {}): Promise<Uint8Array<ArrayBuffer>> {
  const entries = new DataView(new ArrayBuffer(16 * PER_SHARD + CHECKSUM));
  for (let at = 0; at < 2 * PER_SHARD; at++) entries.setBigUint64(8 * at, 2n ** 64n - 1n, true);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let offset = index === 'start' ? entries.byteLength : 0;
  for (const cell of cells) {
    if (cell === missing) continue;
    const stored = await gzipped(imageOf(cell));
    entries.setBigUint64(16 * (cell % PER_SHARD), BigInt(offset), true);
    entries.setBigUint64(16 * (cell % PER_SHARD) + 8, BigInt(stored.length), true);
    parts.push(stored, new Uint8Array(space));
    offset += stored.length + space;
  }
  const table = new Uint8Array(entries.buffer);
  return new Uint8Array(await new Blob(index === 'start' ? [table, ...parts] : [...parts, table]).arrayBuffer());
}

let files: Map<string, Uint8Array<ArrayBuffer>>;
let asked: { path: string; range: string; aborted: () => boolean }[];
let ranges: boolean;
let hold: Promise<void> | null;
let host = 0;

beforeEach(() => {
  files = new Map();
  asked = [];
  ranges = true;
  hold = null;
  host += 1; // what a host can do is remembered
  vi.stubGlobal('fetch', async (address: URL, { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {}) => {
    const data = files.get(address.pathname);
    asked.push({ path: address.pathname, range: headers.Range ?? '', aborted: () => signal?.aborted === true });
    if (hold) await Promise.race([hold, new Promise((_, stop) => { signal?.addEventListener('abort', () => { stop(new DOMException('', 'AbortError')); }); })]);
    signal?.throwIfAborted();
    if (!data) return new Response('', { status: 404 });
    const [, from = '', to = ''] = /bytes=(-?\d+)-?(\d*)/.exec(headers.Range ?? '') ?? [];
    if (!ranges || from === '') return new Response(data);
    const part = data.slice(Number(from), to === '' ? undefined : Number(to) + 1);
    return new Response(part, { status: 206, headers: { 'Content-Range': `bytes x/${data.length}` } });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const shardsOf = (index = 'start', most = 1e9, held = [8, 8, 4], draw: FirstDraw | null = null) =>
  new Shards(`https://cells${host}.example/images`, parseLayout(description(undefined, index), 'The images'), held, most, draw);
/** Images of cells, once all have come or failed. */
async function fetched(cells: number[], shards: Shards): Promise<CellImages> {
  const left = new Set(cells);
  return new Promise((resolve) => {
    const images: CellImages = new CellImages(shards, 100, (cell) => {
      left.delete(cell);
      if (left.size === 0) resolve(images);
    }, new AbortController().signal);
    images.want(cells);
  });
}

describe('the description of an array', () => {
  it('describes how images are stored in shards', () => {
    expect(parseLayout(description(), 'The images')).toEqual({ images: 20, side: SIDE, perShard: PER_SHARD, index: 'start', gzip: true, separator: '/' });
    expect(parseLayout(description((_, sharding) => delete sharding.index_location), 'The images').index).toBe('end');
  });

  it.each<[string, (array: Record<string, unknown>, sharding: Record<string, unknown>) => void]>([
    ['another compression', (_, sharding) => (sharding.codecs = [{ name: 'bytes' }, { name: 'zstd' }])],
    ['no shards', (array) => (array.codecs = [{ name: 'bytes' }])],
    ['other numbers', (array) => (array.data_type = 'uint16')],
    ['several images a chunk', (_, sharding) => (sharding.chunk_shape = [2, SIDE, SIDE])],
    ['oblong images', (array) => (array.shape = [20, SIDE, 5])],
  ])('of %s is refused as foreign', (_, change) => {
    expect(() => parseLayout(description(change), 'The images')).toThrow('The images are stored in a way');
  });

  it.each(['{', '[]', '{"node_type": "group"}', '{"node_type": "array"}'])('that is damaged is refused: %s', (text) => {
    expect(() => parseLayout(text, 'The images')).toThrow('The images cannot be read');
  });
});

describe.each(['start', 'end'])('images of shards with their index at the %s', (index) => {
  it('are found where shards hold different numbers of cells', async () => {
    files.set('/images/c/0/0/0', await shardOf([0, 1, 2], index));
    files.set('/images/c/1/0/0', await shardOf([8], index));
    files.set('/images/c/2/0/0', await shardOf([16, 17], index));
    const images = await fetched([2, 3, 4, 5], shardsOf(index, 1e9, [3, 1, 2]));
    expect([2, 3, 4, 5].map((cell) => images.get(cell))).toEqual([2, 8, 16, 17].map(imageOf));
  });

  it('are read one by one', async () => {
    files.set('/images/c/0/0/0', await shardOf([0, 1, 2, 3, 4, 5, 6, 7], index));
    files.set('/images/c/2/0/0', await shardOf([16, 17], index));
    const images = await fetched([3, 17], shardsOf(index));
    expect([images.get(3), images.get(17)]).toEqual([imageOf(3), imageOf(17)]);
    expect(asked.length).toBe(4); // an index and an image of each
    if (index === 'start') expect(asked.map(({ range }) => range)).toContain('bytes=48-63');
  });

  it('that are near each other are fetched together, others not', async () => {
    files.set('/images/c/0/0/0', await shardOf([0, 1, 2, 3], index));
    files.set('/images/c/1/0/0', await shardOf([8, 9, 10], index, { space: 20_000 }));
    await fetched([0, 1, 3], shardsOf(index));
    expect(asked.length).toBe(2);
    asked.length = 0;
    await fetched([8, 10], shardsOf(index));
    expect(asked.length).toBe(3);
  });

  it('come from whole shards, each fetched once, where a host hands out no parts', async () => {
    ranges = false;
    files.set('/images/c/0/0/0', await shardOf([0, 1, 2, 3, 4, 5, 6, 7], index));
    files.set('/images/c/1/0/0', await shardOf([8, 9, 10], index));
    const shards = shardsOf(index);
    const images = await fetched([0, 7, 8], shards);
    expect([0, 7, 8].map((cell) => images.get(cell))).toEqual([0, 7, 8].map(imageOf));
    expect(asked.length).toBe(2);
    await fetched([5, 9], shards);
    expect(asked.length).toBe(2);
  });
});

describe('images', () => {
  it('of the first draw come together, those of other cells from their shards', async () => {
    files.set('/draw/c/0/0/0', await shardOf([0, 1, 2, 3], 'start'));
    files.set('/images/c/2/0/0', await shardOf([16, 17], 'start'));
    const draw = { seed: 1, cells: [9, 3, 18, 12], thumbnails: `https://cells${host}.example/draw` };
    const images = await fetched([12, 17, 3, 9], shardsOf('start', 1e9, [8, 8, 4], draw));
    expect([9, 3, 12, 17].map((cell) => images.get(cell))).toEqual([0, 1, 3, 17].map(imageOf));
    expect(asked.filter(({ path }) => path === '/draw/c/0/0/0').map(({ range }) => range)[0]).toBe('bytes=0-63');
    expect(asked.length).toBe(4); // an index and images of each
  });

  it('that a store does not hold are black, as Zarr has it', async () => {
    files.set('/images/c/0/0/0', await shardOf([0, 1, 2], 'start', { missing: 1 }));
    const images = await fetched([0, 1], shardsOf());
    expect(images.get(1)).toEqual(imageOf(0));
  });

  it('of a shard that is missing, cut off or damaged fail, and are tried again when asked', async () => {
    const whole = await shardOf([8, 9, 10], 'start');
    const damaged = (await shardOf([16, 17], 'start')).map((byte, at) => (at > 16 * PER_SHARD + CHECKSUM + 12 ? byte ^ 0x55 : byte));
    files.set('/images/c/1/0/0', whole.subarray(0, -20));
    files.set('/images/c/2/0/0', damaged);
    const images = await fetched([0, 10, 16], shardsOf());
    expect([0, 10, 16].map((cell) => images.get(cell))).toEqual(['failed', 'failed', 'failed']);
    expect(images.missing).toBe(3);
    files.set('/images/c/1/0/0', whole);
    images.retry();
    await vi.waitFor(() => { expect(images.get(10)).toEqual(imageOf(10)); });
  });

  it('that are no longer wanted are given up, and those that only flew past not asked for', async () => {
    for (const shard of [0, 1, 2]) files.set(`/images/c/${shard}/0/0`, await shardOf([8 * shard], 'start'));
    hold = new Promise(() => undefined);
    const images = new CellImages(shardsOf(), 100, () => undefined, new AbortController().signal);
    images.want([8]); // flies past
    images.want([0]);
    await vi.waitFor(() => { expect(asked.length).toBe(1); });
    expect(asked[0]?.path).toBe('/images/c/0/0/0');
    images.want([16]);
    expect(asked[0]?.aborted()).toBe(false); // it may be about to come
    await vi.waitFor(() => { expect(asked[0]?.aborted()).toBe(true); });
    await vi.waitFor(() => { expect(asked.length).toBe(2); });
    expect(asked[1]?.path).toBe('/images/c/2/0/0');
  });

  it('are let go of, the longest unused first, when there are too many', async () => {
    files.set('/images/c/0/0/0', await shardOf([0, 1, 2, 3], 'start'));
    let came = 0;
    const images = new CellImages(shardsOf(), 2, () => { came += 1; }, new AbortController().signal);
    images.want([0, 1]);
    await vi.waitFor(() => { expect(came).toBe(2); });
    expect(images.get(0)).not.toBeNull(); // used, so 1 is the older
    images.want([2]);
    await vi.waitFor(() => { expect(came).toBe(3); });
    expect([0, 1, 2].map((cell) => images.get(cell) !== null)).toEqual([true, false, true]);
  });
});

describe('spans', () => {
  it('join what is near, within a size', () => {
    const places = [[1, { from: 0, to: 10 }], [2, { from: 20, to: 30 }], [3, { from: 60_000, to: 60_010 }], [4, null]] as const;
    expect(spansOf(places)).toEqual([
      { from: 0, to: 30, images: [1, 2] },
      { from: 60_000, to: 60_010, images: [3] },
    ]);
    const large = [0, 1, 2].map((at) => [at, { from: at * 600_000, to: (at + 1) * 600_000 }] as const);
    expect(spansOf(large).length).toBe(3);
  });
});
