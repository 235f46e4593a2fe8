import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HubRows, parseDataset, type DatasetName } from './hub';
import { drawBlocks, factsOfName, reduced, streamedCells } from './stream';

const DATASET: DatasetName = { hub: 'https://hub.example', host: 'hub.example', name: 'lab/nuclei' };
const PER_GROUP = 5;
const SIDE = 256;

/** An uncompressed TIFF of one grey level, 256 x 256 px. */
function tiffOf(grey: number): Uint8Array<ArrayBuffer> {
  const tags: [number, number][] = [[256, SIDE], [257, SIDE], [258, 8], [259, 1], [262, 1], [273, 8], [277, 1], [278, SIDE], [279, SIDE * SIDE]];
  const file = new Uint8Array(8 + SIDE * SIDE + 2 + 12 * tags.length + 4).fill(grey, 8, 8 + SIDE * SIDE);
  const view = new DataView(file.buffer);
  view.setUint16(0, 0x4949);
  view.setUint16(2, 42, true);
  view.setUint32(4, 8 + SIDE * SIDE, true);
  view.setUint16(8 + SIDE * SIDE, tags.length, true);
  tags.forEach(([tag, value], at) => {
    const entry = 10 + SIDE * SIDE + 12 * at;
    view.setUint16(entry, tag, true);
    view.setUint16(entry + 2, 4, true);
    view.setUint32(entry + 4, 1, true);
    view.setUint32(entry + 8, value, true);
  });
  return file;
}

/** A Parquet file of images as the hub has them; a row's grey level is its number. */
function parquetOf(first: number, rows: number): Uint8Array<ArrayBuffer> {
  const data = Array.from({ length: rows }, (_, at) => ({
    bytes: first + at === DAMAGED ? new Uint8Array([1, 2, 3]) : tiffOf(first + at),
    path: `Run${1 + Math.floor((first + at) / 10)}TL_top_left_ROI_${first + at}.tif`,
  }));
  const buffer = parquetWriteBuffer({
    columnData: [{ name: 'image', data }],
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    ],
    codec: 'UNCOMPRESSED',
    statistics: false,
    rowGroupSize: PER_GROUP,
  });
  return new Uint8Array(buffer);
}

const DAMAGED = 17;
const FILES: Record<string, Uint8Array<ArrayBuffer>> = { 'data/b.parquet': parquetOf(12, 13), 'data/a b.parquet': parquetOf(0, 12), 'README.md': new Uint8Array(9) };

/** A hub that answers ranges, and keeps what it was asked for. */
let asked: { path: string; range: string }[];
let sent: number;
let answer: ((path: string) => Response | null) | null;
let ending: AbortController;

beforeEach(() => {
  asked = [];
  sent = 0;
  answer = null;
  ending = new AbortController();
  vi.stubGlobal('fetch', (address: string | URL, { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {}) => {
    const url = new URL(address);
    const path = decodeURIComponent(url.pathname);
    signal?.throwIfAborted();
    const range = headers.Range ?? '';
    asked.push({ path, range });
    const special = answer?.(path);
    if (special) return Promise.resolve(special);
    if (path === '/api/datasets/lab/nuclei/tree/main') {
      return Promise.resolve(Response.json(Object.entries(FILES).map(([name, data]) => ({ type: 'file', path: name, size: data.length }))));
    }
    const data = FILES[path.replace('/datasets/lab/nuclei/resolve/main/', '')];
    if (!data) return Promise.resolve(new Response('', { status: 404 }));
    const [, from = 0, to = data.length - 1] = /^bytes=(\d+)-(\d+)$/.exec(range)?.map(Number) ?? [];
    const part = data.slice(from, to + 1);
    sent += part.length;
    return Promise.resolve(new Response(part, { status: 206 }));
  });
});

afterEach(() => {
  ending.abort();
  vi.unstubAllGlobals();
});

const open = () => HubRows.open(DATASET, ending.signal);

describe('the address of a data set', () => {
  it('is one of a hub, with its owner', () => {
    expect(parseDataset('https://hub.example/datasets/lab/nuclei')).toEqual(DATASET);
    for (const text of ['https://hub.example/lab/nuclei', 'https://hub.example/datasets/nuclei', 'ftp://hub.example/datasets/a/b', 'a/b', 'https://hub.example/datasets/a/b/c'])
      expect(parseDataset(text)).toBeNull();
  });
});

describe('the rows of a data set', () => {
  it('are all known by the ends of its files alone', async () => {
    const rows = await open();
    expect(rows.rows).toBe(25);
    expect(rows.blocks.map(({ file, inFile, first, rows }) => [file, inFile, first, rows])).toEqual([
      [0, 0, 0, 5], [0, 5, 5, 5], [0, 10, 10, 2], [1, 0, 12, 5], [1, 5, 17, 5], [1, 10, 22, 3],
    ]);
    expect(asked.length).toBe(3);
  });

  it('are read from the range of their block', async () => {
    const rows = await open();
    const block = rows.blocks[3];
    if (!block) throw new Error('no block');
    sent = 0;
    const read = await rows.read(block, ending.signal);
    expect(read.map(({ name }) => name)).toEqual([12, 13, 14, 15, 16].map((roi) => `Run2TL_top_left_ROI_${roi}.tif`));
    expect(read.map(({ bytes }) => bytes?.[20])).toEqual([12, 13, 14, 15, 16]);
    expect(sent).toBeGreaterThan(5 * SIDE * SIDE);
    expect(sent).toBeLessThan(6 * SIDE * SIDE);
  });

  it.each<[string, () => Response, RegExp]>([
    ['is not there', () => new Response('', { status: 404 }), /^hub.example has no data set lab\/nuclei\.$/],
    ['is private', () => new Response('', { status: 401 }), /not public/],
    ['is asked for too often', () => new Response('', { status: 429, headers: { 'Retry-After': '30' } }), /too many requests.*in 30 s/],
    ['is out of order', () => new Response('', { status: 502 }), /status 502/],
    ['has no images in Parquet', () => Response.json([{ type: 'file', path: 'a.csv', size: 3 }]), /has no data set|no Parquet files/],
    ['answers with something else', () => new Response('<html>'), /could not be read/],
  ])('say in one line why there are none: the hub %s', async (_, response, message) => {
    answer = (path) => (path.startsWith('/api/') && path.endsWith('main') ? response() : null);
    await expect(open()).rejects.toThrow(message);
  });

  it('say that the network is gone', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(open()).rejects.toThrow(/^hub.example does not answer/);
  });

  it('are those that the hub has made, where the data set has no Parquet files of its own', async () => {
    answer = (path) => {
      if (path.endsWith('/tree/main')) return Response.json([{ type: 'file', path: 'a.tif', size: 3 }]);
      if (path.endsWith('/parquet')) return Response.json({ default: { train: ['https://hub.example/datasets/lab/nuclei/resolve/main/data/b.parquet'] } });
      return asked.at(-1)?.range === '' ? new Response('', { headers: { 'Content-Length': String(FILES['data/b.parquet']?.length) } }) : null;
    };
    expect((await open()).rows).toBe(13);
  });
});

describe('a draw of streamed cells', () => {
  const blocks = Array.from({ length: 300 }, (_, at) => ({ file: 0, inFile: 100 * at, first: 100 * at, rows: 100 }));

  it('has each cell once, the same for a seed, and of few blocks at a time', () => {
    const drawn = drawBlocks(blocks, 7);
    expect(drawn.length).toBe(10_000);
    expect(new Set(drawn).size).toBe(10_000);
    expect(drawBlocks(blocks, 7)).toEqual(drawn);
    expect(drawBlocks(blocks, 8)).not.toEqual(drawn);
    expect(new Set(drawn.slice(0, 200).map((cell) => Math.floor(cell / 100))).size).toBe(2);
    expect(drawn.slice(0, 100)).not.toEqual([...drawn.slice(0, 100)].sort((a, b) => a - b));
  });

  it('has all where there are fewer', () => {
    expect(drawBlocks(blocks.slice(0, 3), 1).sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, at) => at));
  });
});

describe('the name of a cell image', () => {
  it('says of which nucleus it is', () => {
    expect(factsOfName('images/Run100BL_bottom_left_ROI_268.tif')).toMatchObject({ cell: 'Run100BL_bottom_left_ROI_268', panorama: 'Run100BL_bottom_left', roi: 268, run: 100 });
    expect(factsOfName('cell-1.png')).toMatchObject({ cell: 'cell-1.png', panorama: null, roi: null, run: null });
    expect(factsOfName(null).cell).toBeNull();
  });
});

it('a thumbnail has the means of 4 by 4 pixels', () => {
  const small = reduced(Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (Math.floor(at / SIDE) < 4 && at % SIDE < 4 ? at % 4 : 200)));
  expect([small.length, small[0], small[1], small[64]]).toEqual([64 * 64, 2, 200, 200]);
});

describe('streamed images', () => {
  const none = () => Promise.resolve(new Map<string, never>());
  const until = (check: () => boolean) => vi.waitFor(() => { if (!check()) throw new Error('not yet'); }, { timeout: 4000, interval: 10 });

  it('come by blocks, those in view alone, and those that are damaged are said to be', async () => {
    const source = streamedCells(await open(), null, none, ending.signal);
    asked = [];
    const arrived: number[] = [];
    const images = source.images('thumbnails', 1000, (image) => { arrived.push(image); });
    images.want([18, 17]);
    await until(() => images.get(18) !== null);
    expect(images.get(17)).toBe('failed');
    expect(images.missing).toBe(1);
    expect((images.get(18) as Uint8Array)[0]).toBe(18);
    expect(images.get(21)).toBeInstanceOf(Uint8Array);
    expect(images.get(0)).toBeNull();
    expect(new Set(asked.map(({ path }) => path)).size).toBe(1);
    expect(arrived.sort((a, b) => a - b)).toEqual([17, 18, 19, 20, 21]);
    const facts = await source.table.facts(18);
    expect([facts.panorama, facts.roi]).toEqual(['Run2TL_top_left', 18]);
    expect(await source.table.find('Run2TL_top_left', 19)).toBe(19);
    expect(await source.table.find('Run2TL_top_left', 12)).toBeNull();
  });

  it('wait out a pause that the hub asks for, and say so', async () => {
    const source = streamedCells(await open(), null, none, ending.signal);
    const images = source.images('full', 1000, () => undefined);
    answer = () => new Response('', { status: 429, headers: { 'Retry-After': '1' } });
    images.want([1]);
    await until(() => source.status().failed);
    expect(source.status().text).toBe('hub.example asks for a pause of 1 s; the images come after it.');
    const before = asked.length;
    answer = null;
    await until(() => images.get(1) !== null);
    expect(asked.length).toBeGreaterThan(before);
    expect((images.get(1) as Uint8Array).length).toBe(SIDE * SIDE);
    await until(() => !source.status().failed);
  });

  it('fail in one line, and come once they are asked for again', async () => {
    const source = streamedCells(await open(), null, none, ending.signal);
    const images = source.images('full', 1000, () => undefined);
    answer = () => new Response('', { status: 503 });
    images.want([1]);
    await until(() => images.get(1) === 'failed');
    expect(source.status()).toEqual({ text: 'hub.example does not hand out the data set lab/nuclei now (status 503).', failed: true });
    await expect(source.table.facts(2)).rejects.toThrow('status 503');
    answer = null;
    images.retry();
    await until(() => images.get(1) instanceof Uint8Array);
    // Another view of the same size need not ask again.
    asked = [];
    const single = source.images('full', 48, () => undefined);
    single.want([2]);
    expect(single.get(2)).toBeInstanceOf(Uint8Array);
    expect(asked).toEqual([]);
  });

  it('are not asked for once they are out of view', async () => {
    const source = streamedCells(await open(), null, none, ending.signal);
    const images = source.images('full', 1000, () => undefined);
    asked = [];
    images.want([1]);
    images.want([13]);
    await until(() => images.get(13) !== null);
    expect(new Set(asked.map(({ path }) => path))).toEqual(new Set(['/datasets/lab/nuclei/resolve/main/data/b.parquet']));
    expect(images.get(1)).toBeNull();
  });
});
