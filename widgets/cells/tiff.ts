import { inflated } from '../shared/inflate';

// Tags of TIFF 6.0, https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
const WIDTH = 256;
const HEIGHT = 257;
const BITS = 258;
const COMPRESSION = 259;
const PHOTOMETRIC = 262;
const OFFSETS = 273;
const SAMPLES = 277;
const ROWS_PER_STRIP = 278;
const COUNTS = 279;
const PREDICTOR = 317;
const TILE_WIDTH = 322;

const NONE = 1;
const LZW = 5;
const DEFLATE: readonly number[] = [8, 32946];

/**
 * The grey levels of a TIFF of 8 bits and one channel, row by row: strips, stored as they are or by LZW or deflate, with
 * or without a horizontal predictor. That is what single-cell images are published as; anything else throws.
 */
export async function decodeTiff(file: Uint8Array<ArrayBuffer>): Promise<{ width: number; height: number; pixels: Uint8Array<ArrayBuffer> }> {
  const tags = readTags(file);
  const one = (tag: number, absent: number) => tags.get(tag)?.[0] ?? absent;
  const [width, height] = [one(WIDTH, 0), one(HEIGHT, 0)];
  const compression = one(COMPRESSION, NONE);
  const photometric = one(PHOTOMETRIC, 1);
  const predictor = one(PREDICTOR, 1);
  const known =
    one(BITS, 1) === 8 && one(SAMPLES, 1) === 1 && photometric <= 1 && predictor <= 2 && !tags.has(TILE_WIDTH) &&
    width > 0 && height > 0 && width * height <= 1 << 24 && (compression === NONE || compression === LZW || DEFLATE.includes(compression));
  if (!known) throw new Error('a TIFF of another kind');
  const perStrip = Math.min(height, one(ROWS_PER_STRIP, height));
  const [offsets = [], counts = []] = [tags.get(OFFSETS), tags.get(COUNTS)];
  const strips = Math.ceil(height / perStrip);
  if (offsets.length !== strips || counts.length !== strips) throw new Error('a damaged TIFF');
  const pixels = new Uint8Array(width * height);
  for (let strip = 0; strip < strips; strip++) {
    const [from, bytes] = [offsets[strip] ?? 0, counts[strip] ?? 0];
    if (from + bytes > file.length) throw new Error('a TIFF that is cut off');
    const stored = file.subarray(from, from + bytes);
    const size = width * Math.min(perStrip, height - strip * perStrip);
    const levels = compression === NONE ? stored : compression === LZW ? unpackLzw(stored, size) : await inflated(stored, size, 'deflate');
    if (levels.length < size) throw new Error('a TIFF that is cut off');
    pixels.set(levels.subarray(0, size), strip * perStrip * width);
  }
  if (predictor === 2) for (let at = 0; at < pixels.length; at++) if (at % width > 0) pixels[at] = (pixels[at] ?? 0) + (pixels[at - 1] ?? 0);
  if (photometric === 0) for (let at = 0; at < pixels.length; at++) pixels[at] = 255 - (pixels[at] ?? 0);
  return { width, height, pixels };
}

/** The whole numbers of the tags of a TIFF's first image. */
function readTags(file: Uint8Array<ArrayBuffer>): Map<number, number[]> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const order = view.getUint16(0);
  const little = order === 0x4949;
  if ((!little && order !== 0x4d4d) || view.getUint16(2, little) !== 42) throw new Error('no TIFF');
  const directory = view.getUint32(4, little);
  const tags = new Map<number, number[]>();
  for (let entry = 0; entry < view.getUint16(directory, little); entry++) {
    const at = directory + 2 + 12 * entry;
    const [tag, type, count] = [view.getUint16(at, little), view.getUint16(at + 2, little), view.getUint32(at + 4, little)];
    const size = { 1: 1, 3: 2, 4: 4 }[type];
    if (size === undefined || count > 65_536) continue;
    const from = size * count <= 4 ? at + 8 : view.getUint32(at + 8, little);
    const read = (place: number) => (size === 1 ? view.getUint8(place) : size === 2 ? view.getUint16(place, little) : view.getUint32(place, little));
    tags.set(tag, Array.from({ length: count }, (_, number) => read(from + size * number)));
  }
  return tags;
}

const CLEAR = 256;
const END = 257;

/** Unpacks LZW as TIFF has it: codes of 9 to 12 bits, the highest bit first, the width growing one code early. */
export function unpackLzw(stored: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const levels = new Uint8Array(size);
  // Each code is what an earlier code stands for, and one level more.
  const prefix = new Uint16Array(4097);
  const suffix = new Uint8Array(4097);
  const length = new Uint16Array(4097).fill(1);
  for (let level = 0; level < 256; level++) suffix[level] = level;
  let [next, bits, before, at] = [258, 9, -1, 0];
  let [held, heldBits] = [0, 0];
  for (const byte of stored) {
    held = ((held << 8) | byte) & 0xffffff;
    heldBits += 8;
    if (heldBits < bits) continue;
    heldBits -= bits;
    const code = (held >> heldBits) & ((1 << bits) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      [next, bits, before] = [258, 9, -1];
      continue;
    }
    if (code > next || (code === next && before < 0)) throw new Error('damaged LZW');
    if (before >= 0 && next < 4097) {
      // The new code ends with the first level of this one, which may be the new code itself.
      let first = code === next ? before : code;
      while (first >= 258) first = prefix[first] ?? 0;
      prefix[next] = before;
      suffix[next] = suffix[first] ?? 0;
      length[next] = (length[before] ?? 0) + 1;
      next += 1;
      if (next + 1 >= 1 << bits && bits < 12) bits += 1;
    }
    const end = at + (length[code] ?? 0);
    if (end > size) throw new Error('damaged LZW');
    let from = code;
    for (let place = end - 1; place >= at; place--) {
      levels[place] = suffix[from] ?? 0;
      from = prefix[from] ?? 0;
    }
    at = end;
    before = code;
  }
  if (at < size) throw new Error('LZW that is cut off');
  return levels;
}
