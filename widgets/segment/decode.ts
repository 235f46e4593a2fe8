import { fromBlob, type GeoTIFFImage } from 'geotiff';
import { grouped } from '../shared/text';
import { FileProblem } from './fileproblem';
import type { Grey, Image } from './plane';
import type { Choice } from './protocol';

/** More pixels than that no browser has memory for. */
export const MOST_PX = 400_000_000;

export interface Decoded {
  image: Image;
  kind: string;
  channels: string[];
  planes: number;
  choice: Choice;
  pxPerUm: number | null;
  remark: string;
}

/** Reads the grey levels of one plane of an image file: TIFF, PNG, or whatever else the browser reads. */
export async function decode(file: Blob, name: string, wanted: Choice | null): Promise<Decoded> {
  if (file.size === 0) throw new FileProblem(`${name} is empty; choose another file.`);
  const head = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  const isTiff = (head[0] === 0x49 && head[1] === 0x49) || (head[0] === 0x4d && head[1] === 0x4d);
  const decoded = isTiff ? await decodeTiff(file, name, wanted) : await decodePicture(file, name, wanted);
  check(decoded.image, name);
  return decoded;
}

function checkSize(width: number, height: number, name: string): void {
  if (width < 1 || height < 1) throw new FileProblem(`${name} has no pixels: it is ${width} x ${height} px.`);
  if (width * height > MOST_PX) {
    throw new FileProblem(`${name} is ${grouped(width)} x ${grouped(height)} px, more than a browser has memory for; cut it into parts, or use nnbook segment.`);
  }
}

function check({ data }: Image, name: string): void {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return;
  for (const value of data) {
    if (!Number.isFinite(value)) throw new FileProblem(`${name} has pixels that are not a number or infinite; replace them, then open it again.`);
  }
}

/** What a TIFF says of its planes. */
export interface Planes {
  channels: string[];
  planes: number;
  times: number;
  pxPerUm: number | null;
  /** The directory of a plane. */
  directory(channel: number, z: number): number;
}

async function decodeTiff(file: Blob, name: string, wanted: Choice | null): Promise<Decoded> {
  let first: GeoTIFFImage;
  let count: number;
  let read: (at: number) => Promise<GeoTIFFImage>;
  try {
    const tiff = await fromBlob(file);
    count = await tiff.getImageCount();
    first = await tiff.getImage(0);
    read = (at) => tiff.getImage(at);
  } catch {
    throw new FileProblem(`${name} begins as a TIFF, but can't be read as one; save it again as a plain TIFF or PNG.`);
  }
  const [width, height] = [first.getWidth(), first.getHeight()];
  checkSize(width, height, name);
  const samples = first.getSamplesPerPixel();
  const text = await textOf(first);
  const planes = describePlanes(text, count, await resolutionOf(first));
  const inColour = samples > 1;
  const channels = inColour ? (samples === 3 || samples === 4 ? ['Red', 'Green', 'Blue', 'Alpha'].slice(0, samples) : numbered(samples)) : planes.channels;
  const choice = { channel: clamp(wanted?.channel ?? 0, channels.length), z: clamp(wanted?.z ?? planes.planes >> 1, planes.planes) };
  const at = inColour ? clamp(choice.z, count) : planes.directory(choice.channel, choice.z);
  const source = at === 0 ? first : await read(Math.min(at, count - 1));
  checkSize(source.getWidth(), source.getHeight(), name);
  let data: Grey;
  let shownChannel = choice.channel;
  try {
    if (inColour && wanted === null) {
      // Of a picture in colour, the brightest channel is most likely the nuclei.
      const all = (await source.readRasters({ interleave: false })) as unknown as Grey[];
      const means = all.slice(0, 3).map((one) => meanOf(one));
      shownChannel = means.indexOf(Math.max(...means));
      data = all[shownChannel] ?? new Uint8Array();
    } else {
      const [only] = (await source.readRasters({ samples: [inColour ? choice.channel : 0], interleave: false })) as unknown as Grey[];
      data = only ?? new Uint8Array();
    }
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new FileProblem(`The pixels of ${name} can't be read (${reason(error)}); save it without compression, or by LZW or Deflate.`);
  }
  const [bits, format] = [source.getBitsPerSample(0), source.getSampleFormat(0)];
  const photometric: unknown = await source.fileDirectory.loadValue('PhotometricInterpretation');
  if (photometric === 0 && data instanceof Uint8Array) data = data.map((value) => 2 ** bits - 1 - value);
  const said = [
    inColour ? `The file is in colour; ${channels.length > 1 ? `its ${(channels[shownChannel] ?? '').toLowerCase()} channel is used` : 'it is used as grey levels'}.` : '',
    planes.planes > 1 ? `The file has ${planes.planes} planes; plane ${choice.z + 1} is used.` : '',
    planes.times > 1 ? `It has ${planes.times} points in time; the first is used.` : '',
  ];
  return {
    image: { width: source.getWidth(), height: source.getHeight(), data },
    kind: format === 3 ? `${bits} bit float` : `${bits} bit${format === 2 ? ', signed' : ''}`,
    channels,
    planes: planes.planes,
    choice: { ...choice, channel: shownChannel },
    pxPerUm: planes.pxPerUm,
    remark: said.filter(Boolean).join(' '),
  };
}

async function textOf(image: GeoTIFFImage): Promise<string> {
  const text: unknown = await image.fileDirectory.loadValue('ImageDescription');
  return typeof text === 'string' ? text.replace(/\0+$/, '') : '';
}

/** Pixels a unit of ImageJ's, which keeps its scale there. */
async function resolutionOf(image: GeoTIFFImage): Promise<number | null> {
  const value: unknown = await image.fileDirectory.loadValue('XResolution');
  const [up, down] = value !== null && typeof value === 'object' && '0' in value && '1' in value ? [Number(value[0]), Number(value[1])] : [Number(value), 1];
  return up > 0 && down > 0 ? up / down : null;
}

/** Reads from a TIFF's description, of OME or ImageJ, which planes it has. */
export function describePlanes(text: string, count: number, resolution: number | null): Planes {
  if (/<OME[\s>]/.test(text)) return omePlanes(text);
  const field = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]?.trim();
  if (text.startsWith('ImageJ=')) {
    const [channels, slices, frames] = ['channels', 'slices', 'frames'].map((name) => Math.max(1, Number(field(name) ?? 1))) as [number, number, number];
    const all = channels * slices * frames;
    // A stack that ImageJ names no axes of is one of z planes.
    const planes = all === 1 ? count : slices;
    const inUm = /^(micron|um|µm|\\u00B5m)$/.test(field('unit') ?? '');
    return { channels: numbered(channels), planes, times: frames, pxPerUm: inUm ? resolution : null, directory: (channel, z) => z * channels + channel };
  }
  return { channels: numbered(1), planes: count, times: 1, pxPerUm: null, directory: (_, z) => z };
}

function omePlanes(text: string): Planes {
  const pixels = /<Pixels\b[^>]*>/.exec(text)?.[0] ?? '';
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  const size = (axis: string) => Math.max(1, Number(attribute(pixels, `Size${axis}`) ?? 1));
  const sizes: Record<string, number> = { C: size('C'), Z: size('Z'), T: size('T') };
  const order = (attribute(pixels, 'DimensionOrder') ?? 'XYCZT').slice(2);
  const names = [...((text.split('</Pixels>')[0] ?? '').match(/<Channel\b[^>]*>/g) ?? [])].map((tag) => attribute(tag, 'Name') ?? '');
  const um = Number(attribute(pixels, 'PhysicalSizeX'));
  const unit = attribute(pixels, 'PhysicalSizeXUnit') ?? 'µm';
  const factor = { µm: 1, um: 1, nm: 1e-3, mm: 1e3 }[unit];
  const directory = (channel: number, z: number) => {
    const place: Record<string, number> = { C: channel, Z: z, T: 0 };
    let [at, step] = [0, 1];
    for (const axis of order) {
      at += (place[axis] ?? 0) * step;
      step *= sizes[axis] ?? 1;
    }
    return at;
  };
  return {
    channels: numbered(sizes.C ?? 1).map((number, at) => (names[at] === undefined || names[at] === '' ? number : names[at])),
    planes: sizes.Z ?? 1,
    times: sizes.T ?? 1,
    pxPerUm: um > 0 && factor !== undefined ? 1 / (um * factor) : null,
    directory,
  };
}

/** Has the browser decode a picture: colours of equal channels are grey levels. */
async function decodePicture(file: Blob, name: string, wanted: Choice | null): Promise<Decoded> {
  const grey = await decodeGreyPng(file, name);
  if (grey) return { image: grey.image, kind: `${grey.bits} bit`, channels: numbered(1), planes: 1, choice: { channel: 0, z: 0 }, pxPerUm: null, remark: '' };
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  } catch {
    throw new FileProblem(`${name} is no image that this browser reads; choose a TIFF, a PNG or a JPEG.`);
  }
  const { width, height } = bitmap;
  checkSize(width, height, name);
  const channels = [0, 1, 2].map(() => new Uint8Array(width * height));
  // By strips: all of it as colours would take four times the memory.
  const strip = 512;
  const canvas = new OffscreenCanvas(width, Math.min(strip, height));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new RangeError('no canvas');
  let inColour = false;
  for (let top = 0; top < height; top += strip) {
    const rows = Math.min(strip, height - top);
    context.drawImage(bitmap, 0, top, width, rows, 0, 0, width, rows);
    const { data } = context.getImageData(0, 0, width, rows);
    for (let at = 0, place = top * width; at < data.length; at += 4, place++) {
      const [red = 0, green = 0, blue = 0] = [data[at], data[at + 1], data[at + 2]];
      for (const [k, value] of [red, green, blue].entries()) (channels[k] as Uint8Array)[place] = value;
      // JPEG changes colours by a little.
      if (Math.abs(red - green) > 8 || Math.abs(green - blue) > 8) inColour = true;
    }
  }
  bitmap.close();
  const means = channels.map((one) => meanOf(one));
  const channel = inColour ? clamp(wanted?.channel ?? means.indexOf(Math.max(...means)), 3) : 1;
  const names = ['Red', 'Green', 'Blue'];
  return {
    image: { width, height, data: channels[channel] ?? new Uint8Array() },
    kind: '8 bit',
    channels: inColour ? names : numbered(1),
    planes: 1,
    choice: { channel: inColour ? channel : 0, z: 0 },
    pxPerUm: null,
    remark: inColour ? `The picture is in colour; its ${(names[channel] ?? '').toLowerCase()} channel is used.` : '',
  };
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const IDAT = 0x49444154;

/**
 * A PNG of grey levels of 8 or 16 bits, row by row as it is inflated: a browser would give 8 bits, in four times the
 * memory. Null for any other file.
 */
async function decodeGreyPng(file: Blob, name: string): Promise<{ image: Image; bits: number } | null> {
  const head = new DataView(await file.slice(0, 33).arrayBuffer());
  if (head.byteLength < 33 || PNG.some((byte, at) => head.getUint8(at) !== byte)) return null;
  const [width, height] = [head.getUint32(16), head.getUint32(20)];
  const [bits, colour, interlaced] = [head.getUint8(24), head.getUint8(25), head.getUint8(28)];
  checkSize(width, height, name);
  if ((bits !== 8 && bits !== 16) || colour !== 0 || interlaced !== 0) return null;
  const parts: Blob[] = [];
  for (let at = 33; at + 12 <= file.size; ) {
    const chunk = new DataView(await file.slice(at, at + 8).arrayBuffer());
    const bytes = chunk.getUint32(0);
    if (chunk.getUint32(4) === IDAT) parts.push(file.slice(at + 8, at + 8 + bytes));
    at += 12 + bytes;
  }
  const step = bits / 8;
  const stride = width * step;
  const data = bits === 8 ? new Uint8Array(width * height) : new Uint16Array(width * height);
  let [above, line] = [new Uint8Array(stride), new Uint8Array(stride)];
  let [row, filled, filter] = [0, -1, 0];
  const reader = new Blob(parts).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  try {
    while (row < height) {
      const { done, value } = await reader.read();
      if (done) break;
      for (let at = 0; at < value.length && row < height; ) {
        if (filled < 0) {
          filter = value[at++] ?? 0;
          filled = 0;
          continue;
        }
        const taken = Math.min(stride - filled, value.length - at);
        line.set(value.subarray(at, at + taken), filled);
        at += taken;
        filled += taken;
        if (filled < stride) continue;
        unfilter(line, above, filter, step);
        if (data instanceof Uint8Array) data.set(line, row * width);
        else for (let x = 0; x < width; x++) data[row * width + x] = ((line[2 * x] ?? 0) << 8) | (line[2 * x + 1] ?? 0);
        [above, line] = [line, above];
        row++;
        filled = -1;
      }
    }
  } catch {
    row = -1;
  }
  if (row < height) throw new FileProblem(`${name} is damaged: it ends before its last row of pixels.`);
  return { image: { width, height, data }, bits };
}

/** Undoes a row's filter, as the standard of PNG has it (W3C, third edition). */
function unfilter(line: Uint8Array, above: Uint8Array, filter: number, step: number): void {
  if (filter === 0) return;
  for (let at = 0; at < line.length; at++) {
    const left = at < step ? 0 : (line[at - step] ?? 0);
    const up = above[at] ?? 0;
    const corner = at < step ? 0 : (above[at - step] ?? 0);
    const guess = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : nearest(left, up, corner);
    line[at] = (line[at] ?? 0) + guess;
  }
}

/** Paeth's predictor: which of three neighbours is nearest to left + up - corner. */
function nearest(left: number, up: number, corner: number): number {
  const plain = left + up - corner;
  const [a, b, c] = [Math.abs(plain - left), Math.abs(plain - up), Math.abs(plain - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `Channel ${at + 1}`);
}

function clamp(at: number, count: number): number {
  return Math.min(Math.max(0, at), count - 1);
}

function meanOf(values: Grey): number {
  const step = Math.max(1, Math.floor(values.length / 100_000));
  let [sum, count] = [0, 0];
  for (let at = 0; at < values.length; at += step, count++) sum += values[at] ?? 0;
  return sum / Math.max(1, count);
}

function reason(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '').slice(0, 120) : 'unknown';
}
