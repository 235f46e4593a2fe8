import { colourOf, LEVELS, NO_VALUE } from './colours';
import type { Places } from './geometry';

/** Keeps a point of either end of the scale visible on white and on near black. */
const RIM = 'rgb(122 122 122)';
const RIM_PX = 0.7;
const FADED = 0.2;

/** A picture of a point: its pixels that are not empty, as offsets from its upper left corner. */
export interface Stamp {
  side: number;
  across: Int16Array;
  down: Int16Array;
  /** One after the other for each level: red, green and blue from the lowest byte on, and coverage in the highest. */
  pixels: Uint32Array;
  faded: Uint32Array;
}

/** Pixels of the same form as a stamp's, row by row. */
export interface Raster {
  width: number;
  height: number;
  pixels: Uint32Array;
}

/** The picture of a point of a radius in CSS pixels, at that many pixels of the screen for each. */
export function makeStamp(radius: number, ratio: number): Stamp {
  const side = Math.ceil((radius + RIM_PX) * 2 * ratio) + 1;
  const canvas = document.createElement('canvas');
  canvas.width = side * (LEVELS + 1);
  canvas.height = side;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser draws no canvas');
  context.strokeStyle = RIM;
  context.lineWidth = RIM_PX * ratio;
  for (let level = 0; level <= LEVELS; level++) {
    context.beginPath();
    context.arc((level + 0.5) * side, side / 2, radius * ratio, 0, 2 * Math.PI);
    context.fillStyle = level === NO_VALUE ? 'rgb(150 150 150 / 55%)' : colourOf(level);
    context.fill();
    context.stroke();
  }
  const drawn = new Uint32Array(context.getImageData(0, 0, canvas.width, side).data.buffer);
  const pixelOf = (level: number, at: number) => drawn[Math.floor(at / side) * canvas.width + level * side + (at % side)] ?? 0;
  const filled = Array.from({ length: side * side }, (_, at) => at).filter((at) => pixelOf(0, at) >>> 24 > 0);
  const pixels = new Uint32Array(filled.length * (LEVELS + 1));
  pixels.forEach((_, at) => {
    pixels[at] = pixelOf(Math.floor(at / filled.length), filled[at % filled.length] ?? 0);
  });
  return {
    side,
    across: Int16Array.from(filled, (at) => at % side),
    down: Int16Array.from(filled, (at) => Math.floor(at / side)),
    pixels,
    faded: pixels.map((pixel) => withCoverage(pixel, Math.round((pixel >>> 24) * FADED))),
  };
}

/**
 * Stamps points into a raster whose upper left corner is at `left`, `top`; places are CSS pixels.
 *
 * Done by hand, twenty thousand points take a few milliseconds; a canvas without a graphics card takes ten times as long.
 * `wanted` leaves out the points whose `inside` differs.
 */
export function stampPoints(
  raster: Raster,
  stamp: Stamp,
  { x, y }: Places,
  levels: Uint8Array,
  { left, top, ratio }: { left: number; top: number; ratio: number },
  only: { inside: Uint8Array; wanted: 0 | 1; faded: boolean } | null = null,
): void {
  const { width, height, pixels } = raster;
  const { side, across, down } = stamp;
  const inks = only?.faded ? stamp.faded : stamp.pixels;
  const count = across.length;
  for (let at = 0; at < levels.length; at++) {
    if (only && only.inside[at] !== only.wanted) continue;
    const column = Math.round(((x[at] ?? 0) - left) * ratio - side / 2);
    const row = Math.round(((y[at] ?? 0) - top) * ratio - side / 2);
    if (column <= -side || row <= -side || column >= width || row >= height) continue;
    const cut = column < 0 || row < 0 || column + side > width || row + side > height;
    const first = (levels[at] ?? 0) * count;
    for (let part = 0; part < count; part++) {
      const toX = column + (across[part] ?? 0);
      const toY = row + (down[part] ?? 0);
      if (cut && (toX < 0 || toY < 0 || toX >= width || toY >= height)) continue;
      const to = toY * width + toX;
      pixels[to] = over(inks[first + part] ?? 0, pixels[to] ?? 0);
    }
  }
}

/** One pixel drawn over another. */
export function over(top: number, below: number): number {
  const cover = top >>> 24;
  const under = below >>> 24;
  if (cover === 255 || under === 0) return top;
  if (cover === 0) return below;
  const both = cover * 255 + under * (255 - cover);
  const share = (cover * 255) / both;
  const mix = (shift: number) => {
    const [a, b] = [(top >>> shift) & 255, (below >>> shift) & 255];
    return Math.round(b + (a - b) * share) << shift;
  };
  return withCoverage(mix(0) | mix(8) | mix(16), Math.round(both / 255));
}

function withCoverage(pixel: number, coverage: number): number {
  return ((pixel & 0xffffff) | (coverage << 24)) >>> 0;
}
