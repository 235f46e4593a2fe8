import { decode } from 'fast-png';

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
  const own = decodePng(await blob.arrayBuffer());
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

/** Decodes a PNG of 8 bits a channel without a canvas: the lowest byte of a label is grey or red. */
export function decodePng(data: ArrayBuffer): LabelTile {
  const { width, height, depth, channels, palette, data: bytes } = decode(data);
  if (depth !== 8 || channels === 2 || palette) throw new Error('not a PNG of labels');
  const labels = new Uint32Array(width * height);
  for (let pixel = 0, at = 0; pixel < labels.length; pixel++, at += channels) {
    labels[pixel] =
      channels === 1 ? (bytes[at] ?? 0) : (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  }
  return { width, height, labels };
}
