import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Joint, PartialFile } from './partial';

const DATA = Uint8Array.from({ length: 100 }, (_, at) => at);
const { signal } = new AbortController();

describe('work that several wait for', () => {
  it('is done once', async () => {
    const work = vi.fn(() => Promise.resolve(3));
    const joint = new Joint(work);
    expect(await Promise.all([joint.get(signal), joint.get(signal)])).toEqual([3, 3]);
    expect(await joint.get(signal)).toBe(3);
    expect(work).toHaveBeenCalledOnce();
  });

  it('is given up once none of them waits any more', () => {
    let stopped = false;
    const joint = new Joint((own) => new Promise(() => { own.addEventListener('abort', () => { stopped = true; }); }));
    const [one, two] = [new AbortController(), new AbortController()];
    for (const { signal } of [one, two]) joint.get(signal).catch(() => undefined);
    one.abort();
    expect(stopped).toBe(false);
    two.abort();
    expect(stopped).toBe(true);
  });

  it('is started again after it failed', async () => {
    let times = 0;
    const joint = new Joint(() => (++times === 1 ? Promise.reject(new Error('no')) : Promise.resolve(times)));
    await expect(joint.get(signal)).rejects.toThrow('no');
    expect(await joint.get(signal)).toBe(2);
  });
});

describe('a file of which parts are read', () => {
  let asked: string[];
  let ranges: boolean;
  let sized: boolean;
  let host = 0;

  beforeEach(() => {
    asked = [];
    ranges = sized = true;
    host += 1;
    vi.stubGlobal('fetch', (_: URL, { headers }: { headers: Record<string, string> }) => {
      const range = headers.Range ?? '';
      asked.push(range);
      const [, from = '0', to = ''] = /bytes=(-?\d+)-?(\d*)/.exec(range) ?? [];
      if (!ranges) return Promise.resolve(new Response(DATA));
      const part = DATA.slice(Number(from), to === '' ? undefined : Number(to) + 1);
      return Promise.resolve(new Response(part, { status: 206, headers: sized ? { 'Content-Range': 'bytes 0-1/100' } : {} }));
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });
  const file = () => new PartialFile(`https://partial${host}.example/a.bin`);

  it('gives spans from the start and from the end, and its size', async () => {
    expect(await file().read({ from: 10, to: 13 }, signal)).toEqual({ data: DATA.slice(10, 13), size: 100 });
    expect(await file().read({ from: -4 }, signal)).toEqual({ data: DATA.slice(96), size: 100 });
    expect(asked).toEqual(['bytes=10-12', 'bytes=-4']);
  });

  it('gives no size where a host keeps it to itself', async () => {
    sized = false;
    expect((await file().read({ from: -4 }, signal)).size).toBeNull();
  });

  it('is fetched whole and once of a host that hands out no parts', async () => {
    ranges = false;
    const one = file();
    const reads = await Promise.all([one.read({ from: 1, to: 3 }, signal), one.read({ from: -2 }, signal)]);
    expect(reads.map(({ data }) => [...data])).toEqual([[1, 2], [98, 99]]);
    expect(one.bytesKept).toBe(100);
    expect(asked.length).toBe(1);
  });

  it('does not wait for others of a host that is known', async () => {
    ranges = false;
    await file().read({ from: 0, to: 1 }, signal);
    expect([...(await file().read({ from: 5, to: 7 }, signal)).data]).toEqual([5, 6]);
    expect(asked.length).toBe(2);
  });
});
