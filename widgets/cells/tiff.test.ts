import { describe, expect, it } from 'vitest';
import { decodeTiff } from './tiff';

const [WIDTH, HEIGHT] = [23, 17];
const PIXELS = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, at) => (at < 60 ? 0 : (at * 37) % 251));

interface Kind {
  little?: boolean;
  rowsPerStrip?: number;
  compression?: 'none' | 'deflate';
  predicted?: boolean;
  tags?: Record<number, number>;
}

/** Writes a TIFF as its specification has it. */
async function tiff({ little = true, rowsPerStrip = HEIGHT, compression = 'none', predicted = false, tags = {} }: Kind): Promise<Uint8Array<ArrayBuffer>> {
  const levels = predicted ? PIXELS.map((level, at) => (at % WIDTH === 0 ? level : level - (PIXELS[at - 1] ?? 0))) : PIXELS;
  const strips: Uint8Array[] = [];
  for (let row = 0; row < HEIGHT; row += rowsPerStrip) {
    const plain = levels.slice(row * WIDTH, Math.min(HEIGHT, row + rowsPerStrip) * WIDTH);
    const packed = new Response(new Blob([plain]).stream().pipeThrough(new CompressionStream('deflate')));
    strips.push(compression === 'none' ? plain : new Uint8Array(await packed.arrayBuffer()));
  }
  const bytes = strips.reduce((sum, { length }) => sum + length, 0);
  const offsets = strips.map((_, at) => 8 + strips.slice(0, at).reduce((sum, { length }) => sum + length, 0));
  const entries: [number, number[]][] = Object.entries({
    256: [WIDTH], 257: [HEIGHT], 258: [8], 259: [compression === 'none' ? 1 : 8], 262: [1], 273: offsets, 277: [1], 278: [rowsPerStrip],
    279: strips.map(({ length }) => length), 317: [predicted ? 2 : 1],
    ...Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, [value]])),
  }).map(([tag, values]) => [Number(tag), values]);
  const directory = 8 + bytes;
  const file = new Uint8Array(directory + 2 + 12 * entries.length + 4 + 8 * strips.length);
  const view = new DataView(file.buffer);
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, directory, little);
  strips.forEach((strip, at) => { file.set(strip, offsets[at]); });
  view.setUint16(directory, entries.length, little);
  let more = directory + 2 + 12 * entries.length + 4;
  entries.forEach(([tag, values], at) => {
    const entry = directory + 2 + 12 * at;
    view.setUint16(entry, tag, little);
    view.setUint16(entry + 2, 4, little);
    view.setUint32(entry + 4, values.length, little);
    const place = values.length === 1 ? entry + 8 : more;
    if (values.length > 1) {
      view.setUint32(entry + 8, more, little);
      more += 4 * values.length;
    }
    values.forEach((value, number) => { view.setUint32(place + 4 * number, value, little); });
  });
  return file;
}

describe('a TIFF of 8 bits and one channel', () => {
  it.each<[string, Kind]>([
    ['in one strip', {}],
    ['in several, the last of them shorter', { rowsPerStrip: 5 }],
    ['the highest byte first', { little: false, rowsPerStrip: 4 }],
    ['by deflate', { compression: 'deflate' }],
    ['by deflate, with a predictor, in strips', { compression: 'deflate', predicted: true, rowsPerStrip: 6 }],
  ])('is read: %s', async (_, kind) => {
    expect(await decodeTiff(await tiff(kind))).toEqual({ width: WIDTH, height: HEIGHT, pixels: PIXELS });
  });

  it('is read where black is the highest level', async () => {
    const { pixels } = await decodeTiff(await tiff({ tags: { 262: 0 } }));
    expect(pixels).toEqual(PIXELS.map((level) => 255 - level));
  });

  // As tifffile wrote it, 32 x 32 px: zeros, and inside of them 550 random levels, for which codes get ten bits.
  it('is read by LZW', async () => {
    const file = Uint8Array.from(atob(LZW), (byte) => byte.charCodeAt(0));
    const { pixels } = await decodeTiff(file);
    expect(pixels.length).toBe(1024);
    expect(pixels.reduce((sum, level) => sum + level)).toBe(69_645);
    expect(pixels.findIndex((level) => level > 0)).toBe(6 * 32 + 5);
    expect(checksum(pixels)).toBe(SUM);
  });

  it.each<[string, Kind]>([
    ['of 16 bits', { tags: { 258: 16 } }],
    ['of three channels', { tags: { 277: 3 } }],
    ['in tiles', { tags: { 322: 16 } }],
    ['by JPEG', { tags: { 259: 7 } }],
    ['too large', { tags: { 256: 1 << 20 } }],
  ])('is refused: %s', async (_, kind) => {
    await expect(decodeTiff(await tiff(kind))).rejects.toThrow('another kind');
  });

  it('is refused where it is cut off, or is none', async () => {
    const whole = await tiff({ compression: 'deflate' });
    for (const length of [0, 3, 7, 60, whole.length - 30]) await expect(decodeTiff(whole.slice(0, length))).rejects.toThrow();
    await expect(decodeTiff(Uint8Array.from(whole, (byte, at) => (at === 12 ? byte ^ 255 : byte)))).rejects.toThrow();
    await expect(decodeTiff(await tiff({ tags: { 279: 9 } }))).rejects.toThrow('cut off');
  });
});

/** Adler's checksum. */
function checksum(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}

const SUM = 1_407_586_333;
const LZW =
  'SUkqAAgAAAAMAAABBAABAAAAIAAAAAEBBAABAAAAIAAAAAIBAwABAAAACAAAAAMBAwABAAAABQAAAAYBAwABAAAAAQAAABEBBAABAAAAsAAAAB' +
  'UBAwABAAAAAQAAABYBBAABAAAAIAAAABcBBAABAAAAygIAABoBBQABAAAAngAAABsBBQABAAAApgAAACgBAwABAAAAAQAAAAAAAAABAAAAAQAA' +
  'AAEAAAABAAAAAACAACBQOCQWDQeEQmFQuGQ2HQ+IRGJRODs8LC4ei9mN1KAsMFU3p49EQUrBdgkOnMyOJCGuDm5VJYWLxgvNkEkpKVTLFukt3g' +
  'EKPh4EwSFAFuODqlKj88DFinkEEFaIUwEEMJtUIV2uwaptQj8mHyDr0lrhTjgxtNrqgBK4dNF0m16MEpuAxBpLthTmWDuY9GITDZZMslqBvCYj' +
  'IZHmYzCFOO0ZMsXAxfC+DsAqpF3uo9DUgNlLCtxPV7p98JtAPdNMgrsl8A6DokvA4LEUZLcbqBtn4QhEmGk/E5sJF7O5aAcbr+Dot4LRog4mK1' +
  'Ql4UpYLqtmKoIoUnI1XDMFH5PCCDus9vZErpin8yKoCp5Dicagleq8xvMwk50BUyAeDiyXIsj8PYIAwJpFgmdZtEeXRegGeIGmsahehEZ56Gig' +
  '5YiCRo9m6LA0CGPpJDqKJGE8FZKFoDZPDidoyCiWhuoOC4OBWK5BkiM5wlSFYqhmGZsHaNwfGoEwSCQLoriOHSDlARJUHcdwQmSNRolUB5wnYf' +
  'wIBKUJEgwcAeAcbZLP8gwWnAYhuneJpEi+AYeAiDw1HSbBSB6EJVF2M4RiIfZZoOSAnm2L45mGNQ/AQZAkEIRgUh6OING8LBIBMew8ACLKDiuH' +
  'hiH0V4YEeOxUmqb5mlcOhFhcR5BlUO4pkEVYZE6/5kEuPQFAOHpEjybQQlGMhSAwMgSC2GJblaCgmG6cyDm+Dx6jUEZbA8BRyA8MxviKJAxGGV' +
  'AmhUNw+DWVANlwg5FAIVRnC4N5KDeQhHkwJAOHEOgbH8RQphWAZOk8cx8IOcIIBGSxPhscZ3hmUg1EcWxAF4Io5hNYBVHwLRjlMg5eEmIhZC4Q' +
  'RFisPQ3iIdZ2BgK4TBcAgvmyGh+GuHoBIOIg2BmVJMl6PhHmiTAbG+b9RFGZxjGYI50AQP42E2imnafqGooogIA=';
