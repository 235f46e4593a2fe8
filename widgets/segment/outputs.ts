import { csvText } from '../shared/csv';
import { uuid5 } from '../shared/uuid';
import type { Nucleus } from './masks';
import type { Labels } from './plane';
import { polygonsOf, type Polygon, type Ring } from './outline';
import type { FileKind } from './protocol';

/* Masks and measurements as files that other programs read. */

/** What is to be saved: `rows` gives so many rows of labels from a row on. */
export interface Saved {
  name: string;
  width: number;
  height: number;
  nuclei: Nucleus[];
  rows: (top: number, count: number) => Labels;
  pxPerUm: number | null;
}

interface Outlined {
  nucleus: Nucleus;
  polygons: Polygon[];
}

const ROWS = 64;

/** Of the identifiers of detections, by which a file that is read twice has the same ones. */
const NAMESPACE = '5f0c3a0e-6f5e-4b0e-9a53-0d6b2f1f7d43';

/** Farther right or down, ImageJ takes coordinates of 16 bits for negative ones, so they are written as floats, too. */
const MOST_WHOLE = 60_535;

/** Parts of an outline in a ROI of several, as Java's PathIterator has them. */
const [MOVE, LINE, CLOSE] = [0, 1, 4];

export async function savedFile(kind: FileKind, saved: Saved, pause: () => Promise<void>): Promise<Blob> {
  if (kind === 'csv') return new Blob([tableOf(saved)], { type: 'text/csv' });
  if (kind === 'tiff') return labelTiff(saved, pause);
  if (kind === 'png') return labelPng(saved, pause);
  const outlines: Outlined[] = [];
  for (const [at, nucleus] of saved.nuclei.entries()) {
    const { left, top, width, height } = nucleus;
    outlines.push({ nucleus, polygons: polygonsOf(cut(saved, nucleus), nucleus.roi, left, top) });
    if (width * height > 0 && at % 50 === 49) await pause();
  }
  return kind === 'geojson' ? geoJson(outlines, saved.pxPerUm) : roiZip(outlines);
}

function cut(saved: Saved, { left, top, width, height }: Nucleus): Labels {
  const rows = saved.rows(top, height);
  const data = new Int32Array(width * height);
  for (let y = 0; y < height; y++) data.set(rows.data.subarray(y * rows.width + left, y * rows.width + left + width), y * width);
  return { width, height, data };
}

/** A row a nucleus, with the columns of `nnbook measure`. */
export function tableOf({ name, nuclei, pxPerUm }: Pick<Saved, 'name' | 'nuclei' | 'pxPerUm'>): string {
  const um2 = pxPerUm === null ? [] : ['area_um2'];
  const names = ['image', 'roi', 'area_px', ...um2, 'x_px', 'y_px', 'left_px', 'top_px', 'width_px', 'height_px', 'mean_intensity', 'std_intensity', 'confidence'];
  const rows = nuclei.map((one) => [
    name,
    one.roi,
    one.area,
    ...(pxPerUm === null ? [] : [one.area / pxPerUm ** 2]),
    one.x,
    one.y,
    one.left,
    one.top,
    one.width,
    one.height,
    one.mean,
    one.sd,
    one.confidence,
  ]);
  return csvText(names, rows);
}

/** A label image as TIFF: 16 bits, or 32 where there are more nuclei; strips are deflated. */
async function labelTiff({ width, height, nuclei, rows, pxPerUm }: Saved, pause: () => Promise<void>): Promise<Blob> {
  const most = nuclei.reduce((high, { roi }) => Math.max(high, roi), 0);
  const wide = most > 65_535;
  const strips: Uint8Array<ArrayBuffer>[] = [];
  for (let top = 0; top < height; top += ROWS) {
    const { data } = rows(top, Math.min(ROWS, height - top));
    const values = wide ? Uint32Array.from(data) : Uint16Array.from(data);
    strips.push(await deflated(new Uint8Array(values.buffer), 'deflate'));
    await pause();
  }
  const text = new TextEncoder().encode(pxPerUm === null ? 'nnbook\0' : 'ImageJ=1.54f\nunit=um\nnnbook\0');
  const entries = pxPerUm === null ? 10 : 12;
  const directory = 8;
  const extra = directory + 2 + 12 * entries + 4;
  const [offsetsAt, countsAt] = [extra, extra + 4 * strips.length];
  const textAt = countsAt + 4 * strips.length;
  const resolutionAt = textAt + text.length + (text.length % 2);
  const head = new DataView(new ArrayBuffer(resolutionAt + 8));
  head.setUint32(0, 0x002a4949, true);
  head.setUint32(4, directory, true);
  head.setUint16(directory, entries, true);
  let at = directory + 2;
  const entry = (tag: number, type: 2 | 3 | 4 | 5, count: number, value: number) => {
    head.setUint16(at, tag, true);
    head.setUint16(at + 2, type, true);
    head.setUint32(at + 4, count, true);
    if (type === 3 && count === 1) head.setUint16(at + 8, value, true);
    else head.setUint32(at + 8, value, true);
    at += 12;
  };
  const one = strips.length === 1;
  entry(256, 4, 1, width);
  entry(257, 4, 1, height);
  entry(258, 3, 1, wide ? 32 : 16);
  entry(259, 3, 1, 8);
  entry(262, 3, 1, 1);
  entry(270, 2, text.length, textAt);
  entry(273, 4, strips.length, one ? head.byteLength : offsetsAt);
  entry(277, 3, 1, 1);
  entry(278, 4, 1, ROWS);
  entry(279, 4, strips.length, one ? (strips[0]?.length ?? 0) : countsAt);
  if (pxPerUm !== null) {
    entry(282, 5, 1, resolutionAt);
    entry(283, 5, 1, resolutionAt);
  }
  let offset = head.byteLength;
  strips.forEach((strip, k) => {
    head.setUint32(offsetsAt + 4 * k, offset, true);
    head.setUint32(countsAt + 4 * k, strip.length, true);
    offset += strip.length;
  });
  new Uint8Array(head.buffer).set(text, textAt);
  head.setUint32(resolutionAt, Math.round((pxPerUm ?? 1) * 1e6), true);
  head.setUint32(resolutionAt + 4, 1_000_000, true);
  return new Blob([head.buffer, ...strips], { type: 'image/tiff' });
}

/** A label image as PNG of 16 bits of grey, or of colours (red + 256 green + 65,536 blue) where there are more nuclei. */
async function labelPng({ width, height, nuclei, rows }: Saved, pause: () => Promise<void>): Promise<Blob> {
  const most = nuclei.reduce((high, { roi }) => Math.max(high, roi), 0);
  const channels = most > 65_535 ? 3 : 2;
  const stream = new CompressionStream('deflate');
  const writer = stream.writable.getWriter();
  const packed = new Response(stream.readable).arrayBuffer();
  for (let top = 0; top < height; top += ROWS) {
    const count = Math.min(ROWS, height - top);
    const { data } = rows(top, count);
    const lines = new Uint8Array(count * (1 + channels * width));
    for (let y = 0, to = 0; y < count; y++) {
      to++; // no filter
      for (let x = 0; x < width; x++) {
        const label = data[y * width + x] ?? 0;
        if (channels === 2) {
          lines[to++] = label >> 8;
          lines[to++] = label & 255;
        } else for (let byte = 0; byte < 3; byte++) lines[to++] = (label >> (8 * byte)) & 255;
      }
    }
    await writer.write(lines);
    await pause();
  }
  await writer.close();
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, channels === 2 ? 16 : 8);
  header.setUint8(9, channels === 2 ? 0 : 2);
  const signature = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk('IHDR', new Uint8Array(header.buffer)), chunk('IDAT', new Uint8Array(await packed)), chunk('IEND', new Uint8Array())];
  return new Blob([signature, ...parts], { type: 'image/png' });
}

function chunk(name: string, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(new TextEncoder().encode(name), 4);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

/** Detections as QuPath reads them (GeoJSON); coordinates are in px of the image, measurements in px or um. */
function geoJson(outlines: Outlined[], pxPerUm: number | null): Blob {
  const features = outlines.map(({ nucleus, polygons }) => {
    const closed = polygons.map((polygon) => polygon.map((ring) => [...ring, ring[0] ?? [0, 0]]));
    const name = `ROI ${nucleus.roi}`;
    const geometry = closed.length === 1 ? { type: 'Polygon', coordinates: closed[0] } : { type: 'MultiPolygon', coordinates: closed };
    const area = pxPerUm === null ? { 'Area px^2': nucleus.area } : { 'Area µm^2': nucleus.area / pxPerUm ** 2 };
    const measurements = { ...area, 'Mean intensity': nucleus.mean, 'Std intensity': nucleus.sd, ...(nucleus.confidence === null ? {} : { Confidence: nucleus.confidence }) };
    return { type: 'Feature', id: uuid5(NAMESPACE, JSON.stringify([name, closed])), geometry, properties: { objectType: 'detection', name, measurements } };
  });
  return new Blob([JSON.stringify({ type: 'FeatureCollection', features })], { type: 'application/geo+json' });
}

/** ROIs of ImageJ's manager, one for each piece of a nucleus, named by its number. */
function roiZip(outlines: Outlined[]): Blob {
  const digits = String(outlines.reduce((high, { nucleus }) => Math.max(high, nucleus.roi), 0)).length;
  const files = outlines.flatMap(({ nucleus, polygons }) =>
    polygons.map((polygon, at) => {
      const name = `${String(nucleus.roi).padStart(digits, '0')}${polygons.length > 1 ? `-${at + 1}` : ''}`;
      return { name: `${name}.roi`, data: roiOf(polygon, name) };
    }),
  );
  return zipOf(files);
}

/**
 * A ROI as ImageJ writes it (ij.io.RoiEncoder), where places are of corners of pixels: a polygon, or with holes a composite
 * ROI, which has the nucleus' pixels and no others.
 */
function roiOf(polygon: Polygon, name: string): Uint8Array<ArrayBuffer> {
  const ring = polygon[0] ?? [];
  const [xs, ys] = [ring.map(([x]) => x), ring.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [right, bottom] = [Math.max(...xs), Math.max(...ys)];
  const path = polygon.length > 1 ? polygon.flatMap(pathOf) : [];
  const far = path.length === 0 && Math.max(right, bottom) > MOST_WHOLE;
  const second = 64 + (path.length > 0 ? 4 * path.length : (far ? 12 : 4) * ring.length);
  const view = new DataView(new ArrayBuffer(second + 64 + 2 * name.length));
  new Uint8Array(view.buffer).set(new TextEncoder().encode('Iout'));
  view.setUint16(4, 227);
  view.setUint8(6, path.length > 0 ? 1 : 0);
  [top, left, bottom, right, path.length > 0 ? 0 : ring.length].forEach((value, at) => {
    view.setUint16(8 + 2 * at, value);
  });
  view.setUint32(36, path.length);
  view.setUint16(50, far ? 128 : 0);
  view.setUint32(60, second);
  if (path.length > 0) {
    path.forEach((value, at) => {
      view.setFloat32(64 + 4 * at, value);
    });
  } else {
    ring.forEach(([x, y], at) => {
      view.setUint16(64 + 2 * at, x - left);
      view.setUint16(64 + 2 * (ring.length + at), y - top);
      if (!far) return;
      view.setFloat32(64 + 4 * (ring.length + at), x);
      view.setFloat32(64 + 4 * (2 * ring.length + at), y);
    });
  }
  view.setUint32(second + 16, second + 64);
  view.setUint32(second + 20, name.length);
  for (let at = 0; at < name.length; at++) view.setUint16(second + 64 + 2 * at, name.charCodeAt(at));
  return new Uint8Array(view.buffer);
}

function pathOf(ring: Ring): number[] {
  return [...ring.flatMap(([x, y], at) => [at === 0 ? MOVE : LINE, x, y]), CLOSE];
}

/** A zip of stored files. */
export function zipOf(files: { name: string; data: Uint8Array<ArrayBuffer> }[]): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, data } of files) {
    const text = new TextEncoder().encode(name);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true); // version to read it with
    common.setUint16(8, 0x5a21, true); // 1 January 2025
    common.setUint32(10, crc32(data), true);
    common.setUint32(14, data.length, true);
    common.setUint32(18, data.length, true);
    common.setUint16(22, text.length, true);
    const shared = new Uint8Array(common.buffer);
    const local = new Uint8Array(30 + text.length);
    new DataView(local.buffer).setUint32(0, 0x04034b50, true);
    local.set(shared, 4);
    local.set(text, 30);
    const entry = new Uint8Array(46 + text.length);
    const view = new DataView(entry.buffer);
    view.setUint32(0, 0x02014b50, true);
    view.setUint16(4, 20, true);
    entry.set(shared, 6);
    view.setUint32(42, offset, true);
    entry.set(text, 46);
    directory.push(entry);
    parts.push(local, data);
    offset += local.length + data.length;
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, directory.reduce((sum, entry) => sum + entry.length, 0), true);
  end.setUint32(16, offset, true);
  return new Blob([...parts, ...directory, end.buffer], { type: 'application/zip' });
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(data: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of data) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 255] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}

async function deflated(data: Uint8Array<ArrayBuffer>, format: CompressionFormat): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([data]).stream().pipeThrough(new CompressionStream(format))).arrayBuffer());
}
