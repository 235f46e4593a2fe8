import { inflated } from '../shared/inflate';

/** Label numbers of one tile, row by row. */
export interface LabelTile {
  width: number;
  height: number;
  labels: Uint32Array;
}

const LABEL_BITS = 0xffffff;

/** Whether this browser gives canvas pixels back as they are; some change them against fingerprinting. */
let readsExactly: boolean | null = null;

/** Whether pixels read from a canvas are known to be off. */
export function readsAreChanged(): boolean {
  return readsExactly === false;
}

/**
 * Reads the labels of a tile: red + 256 green + 65,536 blue.
 *
 * The browser decodes fastest, but may change what is read back. So the first tile with labels is decoded here as well,
 * and where the two differ, all others are too.
 */
export async function decodeLabels(blob: Blob): Promise<LabelTile> {
  if (readsExactly === true) return decodeByBrowser(blob);
  const own = await decodePng(await blob.arrayBuffer());
  if (readsExactly === null && own.labels.some((label) => label !== 0)) {
    const read = await decodeByBrowser(blob).catch(() => null);
    readsExactly = read?.labels.every((label, at) => label === own.labels[at]) === true;
  }
  return own;
}

async function decodeByBrowser(blob: Blob): Promise<LabelTile> {
  // Either conversion would change label numbers.
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2D canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const labels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  // Red is the lowest byte; the highest is alpha.
  for (let at = 0; at < labels.length; at++) labels[at] = (labels[at] ?? 0) & LABEL_BITS;
  return { width, height, labels };
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Channels by the colour type of a PNG: grey, RGB, and RGBA. */
const CHANNELS: Partial<Record<number, number>> = { 0: 1, 2: 3, 6: 4 };

/**
 * Decodes a PNG of 8 bits a channel without a canvas: the lowest byte of a label is grey or red. As the standard has it
 * (W3C, Portable Network Graphics, third edition), without interlacing.
 */
export async function decodePng(data: ArrayBuffer): Promise<LabelTile> {
  const bytes = new Uint8Array(data);
  const view = new DataView(data);
  if (SIGNATURE.some((byte, at) => bytes[at] !== byte)) throw new Error('no signature of a PNG');
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const [depth, colour = -1, , , interlaced] = bytes.subarray(24, 29);
  const channels = CHANNELS[colour];
  if (depth !== 8 || channels === undefined || interlaced !== 0) throw new Error('not a PNG of labels');
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
    if (view.getUint32(at + 4) === IDAT) parts.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const stride = width * channels;
  const packed = new Uint8Array(await new Blob(parts).arrayBuffer());
  const rows = await inflated(packed, height * (stride + 1), 'deflate');
  for (let y = 0; y < height; y++) unfilter(rows, y * (stride + 1), stride, channels, y > 0);
  const labels = new Uint32Array(width * height);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0, at = y * (stride + 1) + 1; x < width; x++, pixel++, at += channels) {
      labels[pixel] = channels === 1 ? (rows[at] ?? 0) : (rows[at] ?? 0) | ((rows[at + 1] ?? 0) << 8) | ((rows[at + 2] ?? 0) << 16);
    }
  }
  return { width, height, labels };
}

const IDAT = 0x49444154;

/** Undoes the filter of the row that starts at `start`, whose first byte says which one it is. */
function unfilter(rows: Uint8Array, start: number, stride: number, channels: number, below: boolean): void {
  const filter = rows[start] ?? 0;
  for (let at = start + 1; filter !== 0 && at <= start + stride; at++) {
    const first = at <= start + channels;
    const left = first ? 0 : (rows[at - channels] ?? 0);
    const up = below ? (rows[at - stride - 1] ?? 0) : 0;
    const corner = first || !below ? 0 : (rows[at - stride - 1 - channels] ?? 0);
    rows[at] = (rows[at] ?? 0) + (filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : nearest(left, up, corner));
  }
}

/** Paeth's predictor: which of three neighbours is nearest to left + up - corner. */
function nearest(left: number, up: number, corner: number): number {
  const plain = left + up - corner;
  const [a, b, c] = [left, up, corner].map((one) => Math.abs(plain - one)) as [number, number, number];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
