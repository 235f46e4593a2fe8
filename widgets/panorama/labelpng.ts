/** Label numbers of one tile, row by row. */
export interface LabelTile {
  width: number;
  height: number;
  labels: Uint32Array;
}

const LABEL_BITS = 0xffffff;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Bytes a pixel of the PNG colour types that can hold labels: grey, RGB and RGBA. */
const CHANNELS: Partial<Record<number, number>> = { 0: 1, 2: 3, 6: 4 };

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

/** Decodes a PNG of 8 bits a channel, without a canvas (ISO/IEC 15948). */
export async function decodePng(data: ArrayBuffer): Promise<LabelTile> {
  const bytes = new Uint8Array(data);
  const view = new DataView(data);
  if (SIGNATURE.some((byte, at) => bytes[at] !== byte)) throw new Error('not a PNG');
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const channels = CHANNELS[view.getUint8(25)];
  if (view.getUint8(24) !== 8 || channels === undefined || view.getUint8(28) !== 0) throw new Error('not a PNG of labels');
  const packed: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === 0x49444154) packed.push(bytes.subarray(at + 8, at + 8 + length)); // IDAT
    at += 12 + length;
  }
  const inflated = new Blob(packed).stream().pipeThrough(new DecompressionStream('deflate'));
  const lines = new Uint8Array(await new Response(inflated).arrayBuffer());
  const stride = width * channels;
  if (lines.length < height * (stride + 1)) throw new Error('a cut PNG');
  const labels = new Uint32Array(width * height);
  let before = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1) + 1;
    const line = lines.subarray(start, start + stride);
    unfilter(lines[start - 1] ?? 0, line, before, channels);
    for (let x = 0, at = 0; x < width; x++, at += channels) {
      labels[y * width + x] =
        channels === 1 ? (line[at] ?? 0) : (line[at] ?? 0) | ((line[at + 1] ?? 0) << 8) | ((line[at + 2] ?? 0) << 16);
    }
    before = line;
  }
  return { width, height, labels };
}

/** Undoes a row's filter in place; `before` is the row above, undone already. */
function unfilter(filter: number, line: Uint8Array, before: Uint8Array, step: number): void {
  if (filter === 0) return;
  for (let at = 0; at < line.length; at++) {
    const left = at < step ? 0 : (line[at - step] ?? 0);
    const up = before[at] ?? 0;
    const corner = at < step ? 0 : (before[at - step] ?? 0);
    let guess = 0;
    if (filter === 1) guess = left;
    else if (filter === 2) guess = up;
    else if (filter === 3) guess = (left + up) >> 1;
    else guess = paeth(left, up, corner);
    line[at] = (line[at] ?? 0) + guess;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [byLeft, byUp, byCorner] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return byLeft <= byUp && byLeft <= byCorner ? left : byUp <= byCorner ? up : corner;
}
