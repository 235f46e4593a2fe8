import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { brightOverview, estimateDiameter } from './diameter';
import type { Output } from './dynamics';
import { joinComponents } from './grouping';
import { FullMasks, smallMasks, type Nucleus } from './masks';
import { savedFile } from './outputs';
import type { Floats, Image, Labels } from './plane';
import { compactShare, DARK_REMARK, hasDarkNuclei } from './polarity';
import { greyRange, rescale } from './scale';
import { networkSize, PYTHON_TILE_PX, Tiling } from './tiles';

/*
 * What the package makes of the same images: `tests/shared_cases.py` writes these cases, and
 * `test_shared_cases.py` holds the package to them.
 */

interface Stored {
  shape: number[];
  data: string;
}

interface Outlined {
  px_per_um: number | null;
  nuclei: Nucleus[];
  geojson: unknown;
  rois: Record<string, string>;
}

interface Cases {
  join: { scene: [number, number]; cases: Record<string, { components: number[][]; masked: number | null; pairs: number[]; labels: Stored }> };
  masks: { output: Stored; grey: Stored; shape: [number, number]; flow: number; cellprob: number; labels: Stored; nuclei: number[][]; confidence: number[] }[];
  blobs: { size: [number, number]; places: [number, number, number][]; range: [number, number] };
  sparse: { size: [number, number]; range: [number, number] };
  scaled: Stored;
  grown: Stored;
  tiled: { times: [number, number]; diameter: number; output: Stored };
  overview: { shrink: number; bright: Stored; local: Stored };
  polarity: { remark: string; fields: { field: [number, number, boolean]; dark: boolean; compact: number }[] };
  outlined: { cases: Record<string, Outlined & { rows: string[] }>; far: Outlined };
  diameter: number;
  segmented: { labels: Stored; nuclei: number[][] };
}

const FILE = new URL('../../tests/segmentation/cases.json.gz', import.meta.url);
const DIAMETER = 30;
const cases = JSON.parse(gunzipSync(readFileSync(FILE)).toString()) as Cases;

function bytes({ data }: Stored): ArrayBuffer {
  return Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)).buffer;
}

function noise(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, at) => {
    let bits = Math.imul(at + seed * 7919, 0x9e3779b1) >>> 0;
    bits = (bits ^ (bits >>> 15)) >>> 0;
    bits = Math.imul(bits, 0x85ebca77) >>> 0;
    return ((bits ^ (bits >>> 13)) >>> 0) / 2 ** 32;
  });
}

function scene(components: number[][], masked: number | null): { labels: Labels; grey: Floats } {
  const [height, width] = cases.join.scene;
  const data = new Int32Array(width * height);
  const grey = noise(data.length, 5).map((value) => 0.04 * (value - 0.5));
  components.forEach(([v = 0, u = 0, high = 1, wide = 1, level = 0], at) => {
    for (let place = 0; place < data.length; place++) {
      const [y, x] = [Math.floor(place / width), place % width];
      if (((y - v) / high) ** 2 + ((x - u) / wide) ** 2 >= 1) continue;
      grey[place] = (grey[place] ?? 0) + level;
      if (masked === null || at < masked) data[place] = at + 1;
    }
  });
  return { labels: { width, height, data }, grey: { width, height, data: Float32Array.from(grey) } };
}

function blobs(): Image {
  const [height, width] = cases.blobs.size;
  const data = noise(width * height, 9).map((value, at) => {
    const [y, x] = [Math.floor(at / width), at % width];
    return cases.blobs.places.reduce((sum, [v, u, radius]) => sum + 9000 / (1 + ((y - v) ** 2 + (x - u) ** 2) / radius ** 2) ** 2, 400 + 60 * value);
  });
  return { width, height, data: Uint16Array.from(data) };
}

function sparse(): Image {
  const [height, width] = cases.sparse.size;
  const data = noise(width * height, 3).map((value, at) => {
    const [y, x] = [Math.floor(at / width), at % width];
    const bright = ([[60, 80], [200, 330]] as const).some(([v, u]) => (y - v) ** 2 + (x - u) ** 2 < 64);
    return y === 100 && x === 100 ? 60000 : 300 + 0.5 * y + 0.2 * x + 40 * value + (bright ? 8000 : 0);
  });
  return { width, height, data: Uint16Array.from(data) };
}

function field(pitch: number, slope: number, inverted: boolean): Image {
  const [width, height] = [320, 260];
  const half = Math.floor(pitch / 2);
  const data = noise(width * height, 11).map((value, at) => {
    const [y, x] = [Math.floor(at / width), at % width];
    const inside = pitch > 0 && ((y % pitch) - half) ** 2 + ((x % pitch) - half) ** 2 < 22 ** 2;
    const grey = Math.floor(20 + 8 * value + slope * x + (inside ? 120 : 0));
    return inverted ? 255 - grey : grey;
  });
  return { width, height, data: Uint8Array.from(data) };
}

/** A network whose flows lead to where the image is brightest, as in Python. */
function run(image: Floats): Output {
  const tiling = new Tiling(image, PYTHON_TILE_PX);
  for (const tile of tiling.tiles) {
    const { width, height } = tile;
    const grey = tiling.input(tile);
    const output = new Float32Array(3 * width * height);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        const value = (v: number, u: number) => grey[Math.min(Math.max(v, 0), height - 1) * width + Math.min(Math.max(u, 0), width - 1)] ?? 0;
        const down = Math.fround(value(y + 1, x) - value(y - 1, x));
        const across = Math.fround(value(y, x + 1) - value(y, x - 1));
        const length = Math.fround(Math.fround(Math.sqrt(Math.fround(Math.fround(down * down) + Math.fround(across * across)))) + Math.fround(1e-6));
        output[at] = Math.fround(5 * down) / length;
        output[width * height + at] = Math.fround(5 * across) / length;
        output[2 * width * height + at] = 20 * Math.fround(value(y, x) - Math.fround(0.45));
      }
    }
    tiling.add(tile, output);
  }
  return tiling.output();
}

function measured(masks: FullMasks, image: Image): Nucleus[] {
  const steps = masks.measure(image);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The files in a zip of stored ones, in base64. */
async function filesIn(zip: Blob): Promise<Record<string, string>> {
  const data = Buffer.from(await zip.arrayBuffer());
  const files: Record<string, string> = {};
  for (let at = 0; data.readUInt32LE(at) === 0x04034b50; ) {
    const [size, named] = [data.readUInt32LE(at + 18), data.readUInt16LE(at + 26)];
    files[data.toString('utf8', at + 30, at + 30 + named)] = data.toString('base64', at + 30 + named, at + 30 + named + size);
    at += 30 + named + size;
  }
  return files;
}

/** Holds the files of outlines to those of the package, to the last byte of a ROI. */
async function expectOutlines({ width, height, data }: Labels, { px_per_um: pxPerUm, nuclei, geojson, rois }: Outlined): Promise<void> {
  const rows = (top: number, count: number): Labels => ({ width, height: count, data: data.subarray(top * width, (top + count) * width) });
  const saved = { name: 'outlined', width, height, nuclei, rows, pxPerUm };
  const pause = () => Promise.resolve();
  expect(JSON.parse(await (await savedFile('geojson', saved, pause)).text())).toEqual(geojson);
  expect(await filesIn(await savedFile('rois', saved, pause))).toEqual(rois);
}

function boxes(nuclei: Nucleus[]): number[][] {
  return nuclei.map(({ area, left, top, width, height }) => [area, left, top, width, height]);
}

function share(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let same = 0;
  for (let at = 0; at < one.length; at++) if (one[at] === other[at]) same++;
  return same / one.length;
}

function close(one: ArrayLike<number>, other: ArrayLike<number>, most: number): void {
  expect(one.length).toBe(other.length);
  let worst = 0;
  for (let at = 0; at < one.length; at++) worst = Math.max(worst, Math.abs((one[at] ?? 0) - (other[at] ?? 0)));
  expect(worst).toBeLessThanOrEqual(most);
}

describe.skipIf(!existsSync(FILE))('segmentation in the browser and by the package', () => {
  it.each(Object.entries(cases.join.cases))('join components alike: %s', (_, { components, masked, pairs, labels }) => {
    const drawn = scene(components, masked);
    expect(joinComponents(drawn.labels, drawn.grey, DIAMETER)).toEqual(pairs);
    expect(share(drawn.labels.data, new Uint8Array(bytes(labels)))).toBe(1);
  });

  it.each(cases.masks.map((one, at) => [at, one] as const))('make the same masks of the same output of the network: %i', (_, one) => {
    const [, height = 0, width = 0] = one.output.shape;
    const channels = Float32Array.from(new Int8Array(bytes(one.output)), (value) => value / 20);
    const grey = { width, height, data: Float32Array.from(new Uint8Array(bytes(one.grey)), (value) => value / 100) };
    const output = { width, height, channels };
    const thresholds = { flow: one.flow, cellprob: one.cellprob };
    const small = smallMasks({ output, grey, diameter: DIAMETER }, thresholds);
    const [high, wide] = one.shape;
    const full = new FullMasks(small, channels.subarray(2 * width * height), one.cellprob, wide, high);
    const nuclei = measured(full, { width: wide, height: high, data: new Uint8Array(wide * high) });
    expect(share(full.part(0, 0, wide, high).data, new Uint8Array(bytes(one.labels)))).toBe(1);
    expect(boxes(nuclei)).toEqual(one.nuclei);
    close(nuclei.map(({ confidence }) => confidence ?? 0), one.confidence, 1e-5);
  });

  it('take the same grey levels for 0 and 1, where nuclei are many or few', () => {
    close(greyRange(blobs()), cases.blobs.range, 1e-6);
    close(greyRange(sparse()), cases.sparse.range, 1e-2);
  });

  it('bring an image to another size alike', () => {
    const image = blobs();
    const range = cases.blobs.range;
    close(rescale(image, { width: 41, height: 37 }, ...range).data, new Float32Array(bytes(cases.scaled)), 1e-6);
    const part = { width: 15, height: 10, data: Uint16Array.from({ length: 150 }, (_, at) => image.data[Math.floor(at / 15) * image.width + (at % 15)] ?? 0) };
    close(rescale(part, { width: 27, height: 17 }, ...range).data, new Float32Array(bytes(cases.grown)), 1e-6);
  });

  it('blend the same tiles', () => {
    const { times, diameter, output } = cases.tiled;
    const image = blobs();
    const size = networkSize(image, DIAMETER / diameter) ?? image;
    const one = rescale(image, size, ...cases.blobs.range);
    const [width, height] = [size.width * times[1], size.height * times[0]];
    const data = Float32Array.from({ length: width * height }, (_, at) => one.data[(Math.floor(at / width) % size.height) * size.width + ((at % width) % size.width)] ?? 0);
    const found = run({ width, height, data });
    const picked: number[] = [];
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < height; y += 23) for (let x = 0; x < width; x += 23) picked.push(found.channels[channel * width * height + y * width + x] ?? 0);
    }
    const expected = new Float32Array(bytes(output));
    // Where the image is flat, the last bit decides the flow's direction.
    const off = picked.filter((value, at) => Math.abs(value - (expected[at] ?? 0)) > 1e-3).length;
    expect(picked.length).toBe(expected.length);
    expect(off).toBeLessThanOrEqual(0.01 * picked.length);
  });

  it('find the same bright components and the same diameter', async () => {
    const image = blobs();
    const range = cases.blobs.range;
    const [plain, local] = [brightOverview(image, range), brightOverview(image, range, { surround: 16 })];
    expect(plain.shrink).toBe(cases.overview.shrink);
    expect(share(plain.foreground.data, new Uint8Array(bytes(cases.overview.bright)))).toBeGreaterThan(0.999);
    expect(share(local.foreground.data, new Uint8Array(bytes(cases.overview.local)))).toBeGreaterThan(0.999);
    const found = await estimateDiameter(image, range, (part) => Promise.resolve(run(part)), DIAMETER, { flow: 0.5, cellprob: -2 });
    expect(found).toBeCloseTo(cases.diameter, 4);
  });

  it.each(cases.polarity.fields.map(({ field: of, ...found }) => [of, found] as const))('tell dark nuclei alike: %j', ([pitch, slope, inverted], { dark, compact }) => {
    const image = field(pitch, slope, inverted);
    const range = greyRange(image);
    expect(hasDarkNuclei(image, range)).toBe(dark);
    const { foreground } = brightOverview(image, range, { side: 512, blur: 2 });
    expect(compactShare({ ...foreground, data: foreground.data.map((bright) => 1 - bright) })).toBeCloseTo(compact, 2);
  });

  it('say the same of dark nuclei', () => {
    expect(DARK_REMARK).toBe(cases.polarity.remark);
    expect(new Set(cases.polarity.fields.map(({ dark }) => dark)).size).toBe(2);
  });

  it.each(Object.entries(cases.outlined.cases))('write the same outlines of nuclei %s', async (_, { rows, ...expected }) => {
    const data = Int32Array.from(rows.join(''), (one) => (one === '.' ? 0 : parseInt(one, 36)));
    await expectOutlines({ width: rows[0]?.length ?? 0, height: rows.length, data }, expected);
  });

  it('write the same outlines farther out than 16 bits reach', async () => {
    const [width, height] = [61_000, 3];
    const data = Int32Array.from({ length: width * height }, (_, at) => (at >= width && at % width >= width - 3 ? 1 : 0));
    await expectOutlines({ width, height, data }, cases.outlined.far);
  });

  it('segment the same image alike', () => {
    const image = blobs();
    const size = networkSize(image, DIAMETER / 25) ?? image;
    const grey = rescale(image, size, ...greyRange(image));
    const output = run(grey);
    const small = smallMasks({ output, grey, diameter: DIAMETER }, { flow: 0.5, cellprob: -2 });
    const full = new FullMasks(small, output.channels.subarray(2 * size.width * size.height), -2, image.width, image.height);
    const nuclei = measured(full, image);
    expect(boxes(nuclei)).toEqual(cases.segmented.nuclei);
    expect(share(full.part(0, 0, image.width, image.height).data, new Uint8Array(bytes(cases.segmented.labels)))).toBe(1);
    // Centroids and greys of what is drawn.
    const [first] = nuclei;
    const labels = full.part(0, 0, image.width, image.height).data;
    const places = [...labels.keys()].filter((at) => labels[at] === 1);
    expect(first?.mean).toBeCloseTo(places.reduce((sum, at) => sum + (image.data[at] ?? 0), 0) / places.length, 6);
    expect(first?.x).toBeCloseTo(places.reduce((sum, at) => sum + (at % image.width), 0) / places.length, 6);
  });

  it('draws any part of the masks as the whole has it, at every size', () => {
    const [one] = cases.masks;
    if (!one) throw new Error('no case');
    const [, height = 0, width = 0] = one.output.shape;
    const channels = Float32Array.from(new Int8Array(bytes(one.output)), (value) => value / 20);
    const grey = { width, height, data: Float32Array.from(new Uint8Array(bytes(one.grey)), (value) => value / 100) };
    const small = smallMasks({ output: { width, height, channels }, grey, diameter: DIAMETER }, { flow: one.flow, cellprob: one.cellprob });
    const [high, wide] = one.shape;
    const full = new FullMasks(small, channels.subarray(2 * width * height), one.cellprob, wide, high);
    measured(full, { width: wide, height: high, data: new Uint8Array(wide * high) });
    const whole = full.part(0, 0, wide, high).data;
    const part = full.part(40, 30, 50, 60, 3);
    const expected = part.data.map((_, at) => whole[(30 + 3 * Math.floor(at / 50)) * wide + 40 + 3 * (at % 50)] ?? 0);
    expect([...part.data]).toEqual([...expected]);
  });
});
