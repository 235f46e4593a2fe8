import { describe, expect, it } from 'vitest';
import { decodePng } from './labelpng';

/** A PNG whose rows have the filters given, encoded as the standard says. */
async function encode(width: number, rows: number[][], channels: number, filters: number[]): Promise<ArrayBuffer> {
  const stride = width * channels;
  const raw = new Uint8Array(rows.length * (stride + 1));
  rows.forEach((row, y) => {
    const filter = filters[y % filters.length] ?? 0;
    raw[y * (stride + 1)] = filter;
    row.forEach((value, at) => {
      const left = at < channels ? 0 : (row[at - channels] ?? 0);
      const up = rows[y - 1]?.[at] ?? 0;
      const corner = at < channels ? 0 : (rows[y - 1]?.[at - channels] ?? 0);
      const plain = left + up - corner;
      const near = [left, up, corner].reduce((best, one) => (Math.abs(plain - one) < Math.abs(plain - best) ? one : best), left);
      const guess = [0, left, up, Math.floor((left + up) / 2), near][filter] ?? 0;
      raw[y * (stride + 1) + 1 + at] = value - guess;
    });
  });
  const packed = await new Response(new Blob([raw]).stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer();
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, rows.length);
  header.set([8, { 1: 0, 3: 2, 4: 6 }[channels] ?? 0, 0, 0, 0], 8);
  const half = Math.floor(packed.byteLength / 2);
  return new Blob([
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    // Data in two chunks, as encoders may write it.
    chunk('IDAT', new Uint8Array(packed, 0, half)),
    chunk('IDAT', new Uint8Array(packed, half)),
    chunk('IEND', new Uint8Array()),
  ]).arrayBuffer();
}

function chunk(name: string, data: Uint8Array<ArrayBuffer>): Blob {
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, data.length);
  return new Blob([length.buffer, name, data, new Uint8Array(4)]);
}

describe('PNG of labels', () => {
  const labels = Array.from({ length: 7 * 11 }, (_, at) => (at * at * 7919) % 0x1000000);

  it.each([
    ['RGB', 3],
    ['RGBA', 4],
  ])('is read exactly, whatever the filter: %s', async (_, channels) => {
    const rows = Array.from({ length: 11 }, (_row, y) =>
      labels.slice(y * 7, y * 7 + 7).flatMap((label) => [label & 255, (label >> 8) & 255, label >> 16, 255].slice(0, channels)),
    );
    for (const filters of [[0], [1], [2], [3], [4], [4, 3, 2, 1, 0]]) {
      const tile = await decodePng(await encode(7, rows, channels, filters));
      expect([tile.width, tile.height, ...tile.labels]).toEqual([7, 11, ...labels]);
    }
  });

  it('may be grey', async () => {
    const rows = [
      [0, 1, 2],
      [250, 0, 3],
    ];
    expect([...(await decodePng(await encode(3, rows, 1, [4]))).labels]).toEqual(rows.flat());
  });

  it('is refused where it is none, or cut', async () => {
    const whole = await encode(3, [[1, 2, 3]], 1, [0]);
    await expect(decodePng(new ArrayBuffer(100))).rejects.toThrow(/signature/i);
    await expect(decodePng(whole.slice(0, 45))).rejects.toThrow();
  });

  it('is refused where some of its data is missing', async () => {
    const whole = new Uint8Array(await encode(3, [[1, 2, 3], [4, 5, 6]], 1, [0]));
    const first = 33 + 12 + new DataView(whole.buffer).getUint32(33); // signature and IHDR, then the first IDAT
    const cut = Uint8Array.from([...whole.subarray(0, first), ...whole.subarray(-12)]);
    await expect(decodePng(cut.buffer)).rejects.toThrow();
  });

  it('is refused where its channels have more than 8 bits', async () => {
    const deep = new Uint8Array(await encode(2, [[0, 1, 0, 2]], 1, [0]));
    deep[24] = 16; // bits a channel, in IHDR
    await expect(decodePng(deep.buffer)).rejects.toThrow('not a PNG of labels');
  });
});
