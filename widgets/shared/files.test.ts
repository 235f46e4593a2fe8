import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchBlob, fetchText, kernelAddress } from './files';
import type { Model } from './model';
import { Problem } from './problem';

const { signal } = new AbortController();
const textOf = async (address: string) => (await fetchBlob(address, signal)).text();

interface Options {
  /** Bytes in the local header's extra field, which the directory does not mention. */
  extra?: number;
  comment?: string;
  large?: boolean;
}

const ENCODER = new TextEncoder();

/** A number as bytes, the lowest first. */
function le(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at) % 256);
}

async function deflated(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'))).arrayBuffer());
}

/** A zip of files, those whose name has a star compressed. */
async function zipOf(files: Record<string, string>, { extra = 0, comment = '', large = false }: Options = {}): Promise<Uint8Array<ArrayBuffer>> {
  const local: number[] = [];
  const directory: number[] = [];
  const outside = (value: number) => (large ? le(0xffffffff, 4) : le(value, 4));
  for (const [marked, text] of Object.entries(files)) {
    const name = ENCODER.encode(marked.replace('*', ''));
    const data = marked.includes('*') ? await deflated(text) : ENCODER.encode(text);
    const method = marked.includes('*') ? 8 : 0;
    const fields = [...le(20, 2), ...le(0, 2), ...le(method, 2), ...le(0, 8), ...le(data.length, 4), ...le(text.length, 4), ...le(name.length, 2)];
    const more = large ? [...le(1, 2), ...le(8, 2), ...le(local.length, 8)] : [];
    directory.push(...le(0x02014b50, 4), ...le(20, 2), ...fields, ...le(more.length, 2), ...le(0, 10), ...outside(local.length), ...name, ...more);
    local.push(...le(0x04034b50, 4), ...fields, ...le(extra, 2), ...name, ...le(0, extra), ...data);
  }
  const end64 = [...le(0x06064b50, 4), ...le(0, 36), ...le(directory.length, 8), ...le(local.length, 8), ...le(0x07064b50, 4), ...le(0, 16)];
  const end = [...le(0x06054b50, 4), ...le(0, 8), ...outside(directory.length), ...outside(local.length), ...le(comment.length, 2)];
  return Uint8Array.from([...local, ...directory, ...(large ? end64 : []), ...end, ...ENCODER.encode(comment)]);
}

describe('files in a zip', () => {
  let hosted: Record<string, Uint8Array<ArrayBuffer>>;
  let asked: string[];
  let ranges: boolean;
  let count = 0;
  let host = '';

  beforeEach(() => {
    count += 1;
    host = `https://host${count}.example`; // archives are kept by address
    hosted = {};
    asked = [];
    ranges = true;
    vi.stubGlobal('fetch', (address: string | URL, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> }) => {
      const data = hosted[new URL(address).pathname];
      const range = /bytes=(\d+)-(\d+)/.exec(headers.Range ?? '');
      asked.push(range ? `${range[1]}-${range[2]}` : method);
      if (!data) return Promise.resolve(new Response('', { status: 404 }));
      const length = { 'Content-Length': String(data.length) };
      if (method === 'HEAD') return Promise.resolve(new Response(null, { headers: length }));
      if (!range || !ranges) return Promise.resolve(new Response(data, { headers: length }));
      const slice = data.subarray(Number(range[1]), Number(range[2]) + 1);
      return Promise.resolve(new Response(slice, { status: 206 }));
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('are fetched by their ranges, and the directory once', async () => {
    hosted['/p/P.zip'] = await zipOf({ 'intensity.dzi': '<Image/>', 'l_files/0/0_0.png': 'pixels', 'long.txt': 'x'.repeat(100_000) });
    expect(await textOf(`${host}/p/P.zip/intensity.dzi`)).toBe('<Image/>');
    const before = asked.length;
    expect(await textOf(`${host}/p/P.zip/l_files/0/0_0.png`)).toBe('pixels');
    expect(asked.length - before).toBe(1);
    expect(asked[0]).toBe('HEAD');
    const [from, to] = (asked.at(-1) ?? '').split('-').map(Number) as [number, number];
    expect(to - from).toBeLessThan(200);
  });

  it.each<[string, Options]>([
    ['a directory farther from the end than is read at first', { comment: 'c'.repeat(60_000) }],
    ['fields that the directory does not mention', { extra: 500 }],
    ['the form for large zips', { large: true }],
  ])('are found with %s', async (_, options) => {
    const files = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`tile ${at}.png`, `pixels ${at}`]));
    hosted['/P.zip'] = await zipOf(files, options);
    for (const at of [0, 450, 899]) expect(await textOf(`${host}/P.zip/tile%20${at}.png`)).toBe(`pixels ${at}`);
  });

  it('are unpacked where they are compressed', async () => {
    hosted['/P.zip'] = await zipOf({ '*a.json': '{"long": "' + 'x'.repeat(1000) + '"}' });
    expect(JSON.parse(await textOf(`${host}/P.zip/a.json`))).toHaveProperty('long');
  });

  it('are read from the whole of a small zip where the host hands out whole files only', async () => {
    hosted['/P.zip'] = await zipOf({ 'a.txt': 'a', 'b.txt': 'b' });
    ranges = false;
    for (const name of ['a', 'b', 'a']) expect(await textOf(`${host}/P.zip/${name}.txt`)).toBe(name);
  });

  it('fail with a message where the host hands out whole files only, and the zip is large', async () => {
    const large = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`${at}.bin`, 'x'.repeat(5000)]));
    hosted['/P.zip'] = await zipOf({ 'a.txt': 'a', ...large });
    ranges = false;
    await expect(fetchText(`${host}/P.zip/a.txt`, 'The image', signal)).rejects.toThrow(/host of P\.zip hands out whole files only.*Unpack/);
  });

  it.each([
    ['is not there', () => Promise.resolve({}), /P\.zip could not be loaded/],
    ['is none', () => Promise.resolve({ '/P.zip': ENCODER.encode('no zip at all, but long enough for one') }), /P\.zip is damaged or no zip/],
    ['is cut off', async () => ({ '/P.zip': (await zipOf({ 'a.txt': 'a' })).subarray(0, -30) }), /P\.zip is damaged or no zip/],
    ['has other files', async () => ({ '/P.zip': await zipOf({ 'b.txt': 'b' }) }), /P\.zip has no file a\.txt/],
  ])('fail with a message where the zip %s', async (_, files, message) => {
    Object.assign(hosted, await files());
    const failed = fetchText(`${host}/P.zip/a.txt`, 'The image', signal);
    await expect(failed).rejects.toBeInstanceOf(Problem);
    await expect(failed).rejects.toThrow(message);
  });

  it('are tried again when asked for again', async () => {
    await expect(textOf(`${host}/P.zip/a.txt`)).rejects.toThrow();
    hosted['/P.zip'] = await zipOf({ 'a.txt': 'a' });
    expect(await textOf(`${host}/P.zip/a.txt`)).toBe('a');
  });

  it('are not sought in other addresses', async () => {
    hosted['/a.txt'] = ENCODER.encode('plain');
    expect(await fetchText(`${host}/a.txt`, 'The image', signal)).toBe('plain');
    await expect(fetchText(`${host}/b.txt`, 'The image', signal)).rejects.toThrow('The image could not be loaded.');
  });
});

describe('files of a kernel', () => {
  interface Sent {
    kind: string;
    id: string;
    path: string;
  }

  function kernel(): Model & { sent: Sent[]; answer(content: unknown, buffers?: DataView[]): void } {
    const listeners = new Set<(content: unknown, buffers?: DataView[]) => void>();
    return {
      sent: [] as Sent[],
      get: () => undefined,
      set: () => undefined,
      on: (event, listener) => {
        if (event === 'msg:custom') listeners.add(listener);
      },
      off: (_, listener) => {
        listeners.delete(listener);
      },
      send(content: Sent) {
        this.sent.push(content);
      },
      answer(content, buffers) {
        for (const listener of listeners) listener(content, buffers);
      },
    } as ReturnType<typeof kernel>;
  }
  const bytes = (text: string) => [new DataView(new TextEncoder().encode(text).buffer)];

  it('come as messages with the number of the request', async () => {
    const model = kernel();
    const base = kernelAddress(model, signal);
    const one = textOf(new URL('P/intensity.dzi', base).href);
    const two = textOf(new URL('P/a%20b.png', base).href);
    expect(model.sent.map(({ kind, path }) => [kind, path])).toEqual([['file', 'P/intensity.dzi'], ['file', 'P/a b.png']]);
    model.answer({ kind: 'file', id: model.sent[1]?.id }, bytes('two'));
    model.answer({ kind: 'file', id: 'of another view' }, bytes('none'));
    model.answer({ kind: 'file', id: model.sent[0]?.id }, bytes('one'));
    expect([await one, await two]).toEqual(['one', 'two']);
  });

  it('of two views of one model are kept apart', async () => {
    const model = kernel();
    const [a, b] = [kernelAddress(model, signal), kernelAddress(model, signal)];
    const texts = [textOf(`${a}x`), textOf(`${b}y`)];
    for (const { id, path } of model.sent) model.answer({ kind: 'file', id }, bytes(path));
    expect(await Promise.all(texts)).toEqual(['x', 'y']);
  });

  it("fail with the kernel's reason", async () => {
    const model = kernel();
    const failed = fetchText(`${kernelAddress(model, signal)}nuclei.json`, 'The list', signal);
    model.answer({ kind: 'file', id: model.sent[0]?.id, error: 'mask.tif: no such file' });
    await expect(failed).rejects.toThrow('mask.tif: no such file');
  });

  it('given up before their turn are not asked for', async () => {
    const model = kernel();
    const base = kernelAddress(model, signal);
    const wanted = new AbortController();
    const first = Array.from({ length: 8 }, (_, at) => textOf(`${base}${at}`));
    const late = fetchBlob(`${base}late`, wanted.signal);
    wanted.abort();
    await expect(late).rejects.toThrow('given up');
    for (const { id } of [...model.sent]) model.answer({ kind: 'file', id }, bytes('.'));
    await Promise.all(first);
    expect(model.sent.map(({ path }) => path)).not.toContain('late');
  });

  it('are waited for, but not for ever', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
    await expect(fetchText(`${kernelAddress(kernel(), signal)}index.json`, 'The list', signal)).rejects.toThrow(/kernel does not answer/);
    vi.restoreAllMocks();
  });

  it('of a view that is gone are not listened for', () => {
    const model = kernel();
    const view = new AbortController();
    const off = vi.spyOn(model, 'off');
    kernelAddress(model, view.signal);
    view.abort();
    expect(off).toHaveBeenCalledOnce();
  });
});
