import { contrastTable, type Contrast } from '../shared/contrast';
import { fetchBlob } from '../shared/files';
import { finishSheet, newSheet } from '../shared/picture';
import { shrinkOf, tilesIn, tilesOf, type Pyramid, type Region } from '../shared/pyramid';
import type { View } from '../shared/zoomstage';
import { OUTLINE, type LabelOverlay } from './overlay';
import type { LabelImage } from './paint';

/** A picture of a part of a panorama, put together from the tiles of one level. */
export interface Stitched {
  intensity: Pyramid;
  region: Region;
  level: number;
  /** How many pixels of the picture a pixel of the level is wide and high. */
  enlarge: number;
  contrast: Contrast;
  /** Masks that are over the image, and the columns of the panorama between which each is seen. */
  overlays: { overlay: LabelOverlay; from: number; to: number; outline: number }[];
  /** Draws what else is over the image. */
  finish(context: CanvasRenderingContext2D, view: View, ratio: number): void;
  pxPerUm: number | null;
  title: string;
  lines: string[];
}

/** Pixels of a picture this wide have the size of those on a screen. */
const SCREEN_PX = 1200;

export async function stitch(wanted: Stitched, signal: AbortSignal): Promise<Blob> {
  const { intensity, level, enlarge, pxPerUm, title, lines } = wanted;
  const shrink = shrinkOf(intensity, level);
  const region = within(wanted.region, intensity, shrink);
  const [width, height] = [region.width, region.height].map((side) => enlarge * Math.ceil(side / shrink)) as [number, number];
  const ratio = Math.max(1, width / SCREEN_PX);
  const sheet = newSheet(width, height, ratio, title, lines);
  sheet.context.save();
  sheet.context.scale(enlarge, enlarge);
  sheet.context.imageSmoothingEnabled = false;
  await drawImage(sheet.context, wanted, region, shrink, signal);
  for (const { overlay, from, to, outline } of wanted.overlays) {
    await drawLabels(sheet.context, overlay, { region, level, shrink, enlarge, from, to, stroke: Math.max(1, Math.round(outline * ratio)) }, signal);
  }
  sheet.context.restore();
  const view = { x: region.x, y: region.y, scale: enlarge / shrink, width, height };
  sheet.context.save();
  sheet.context.beginPath();
  sheet.context.rect(0, 0, width, height);
  sheet.context.clip();
  wanted.finish(sheet.context, view, ratio);
  sheet.context.restore();
  return finishSheet(sheet, pxPerUm === null ? null : (pxPerUm * enlarge) / shrink);
}

export const TRUTH_OUTLINE = 1.7 * OUTLINE;

/** The part of a region that is on the image, from one kept pixel of the level to another. */
function within({ x, y, width, height }: Region, image: Pyramid, shrink: number): Region {
  const [left, top] = [x, y].map((value) => Math.max(0, Math.floor(value / shrink) * shrink)) as [number, number];
  return { x: left, y: top, width: Math.min(image.width, x + width) - left, height: Math.min(image.height, y + height) - top };
}

async function drawImage(context: CanvasRenderingContext2D, { intensity, level, contrast }: Stitched, region: Region, shrink: number, signal: AbortSignal): Promise<void> {
  const block = tilesIn(intensity, level, { ...region, width: region.width - 1, height: region.height - 1 });
  const table = contrastTable(contrast);
  const { tileSize, overlap } = intensity;
  for (const tile of block ? tilesOf(block) : []) {
    const bitmap = await createImageBitmap(await fetchBlob(intensity.tileAddress(tile), signal));
    const part = canvasOf(bitmap.width, bitmap.height);
    part.drawImage(bitmap, 0, 0);
    bitmap.close();
    const pixels = part.getImageData(0, 0, part.canvas.width, part.canvas.height);
    for (let at = 0; at < pixels.data.length; at += 4) {
      for (let channel = 0; channel < 3; channel++) pixels.data[at + channel] = table[3 * (pixels.data[at + channel] ?? 0) + channel] ?? 0;
    }
    part.putImageData(pixels, 0, 0);
    const left = tile.column * tileSize - (tile.column > 0 ? overlap : 0) - region.x / shrink;
    const top = tile.row * tileSize - (tile.row > 0 ? overlap : 0) - region.y / shrink;
    context.save();
    context.beginPath();
    context.rect(0, 0, Math.ceil(region.width / shrink), Math.ceil(region.height / shrink));
    context.clip();
    context.drawImage(part.canvas, left, top);
    context.restore();
  }
}

/** Draws masks in bands a row of tiles high, with so much of their neighbours that outlines are whole. */
async function drawLabels(
  context: CanvasRenderingContext2D,
  overlay: LabelOverlay,
  { region, level, shrink, enlarge, from, to, stroke }: Record<'level' | 'shrink' | 'enlarge' | 'from' | 'to' | 'stroke', number> & { region: Region },
  signal: AbortSignal,
): Promise<void> {
  const { pyramid, tiles } = overlay;
  const [left, top] = [region.x / shrink, region.y / shrink];
  const [width, height] = [Math.ceil(region.width / shrink), Math.ceil(region.height / shrink)];
  const side = pyramid.tileSize;
  const [first, end] = [from, to].map((column) => Math.min(width, Math.max(0, Math.round((column - region.x) / shrink)))) as [number, number];
  if (end <= first) return;
  for (let y = 0; y < height; y += side) {
    const [above, below] = [Math.max(0, y - stroke), Math.min(height, y + side + stroke)];
    const image = { width, height: below - above, labels: new Uint32Array(width * (below - above)) };
    const block = tilesIn(pyramid, level, { x: region.x, y: (top + above) * shrink, width: (width - 1) * shrink, height: (below - above - 1) * shrink });
    for (const tile of block ? tilesOf(block) : []) {
      const source = await tiles.fetch(tile, signal);
      const [x0, y0] = [tile.column * side - left, tile.row * side - top];
      for (let row = Math.max(above, y0); row < Math.min(below, y0 + source.height); row++) {
        const [begin, stop] = [Math.max(0, x0), Math.min(width, x0 + source.width)];
        const line = (row - y0) * source.width - x0;
        image.labels.set(source.labels.subarray(line + begin, line + stop), (row - above) * width + begin);
      }
    }
    const large = enlarged(image, enlarge);
    const data = new ImageData(large.width, large.height);
    overlay.paintImage(large, new Uint32Array(data.data.buffer), stroke);
    const band = canvasOf(large.width, large.height);
    band.putImageData(data, 0, 0);
    const rows = Math.min(side, height - y);
    const [sx, sy, sw, sh] = [first, y - above, end - first, rows].map((value) => value * enlarge) as [number, number, number, number];
    context.drawImage(band.canvas, sx, sy, sw, sh, first, y, end - first, rows);
  }
}

/** Labels with each pixel a square of several, so that outlines are as thin as those of a picture that is not enlarged. */
function enlarged({ width, height, labels }: LabelImage, by: number): LabelImage {
  if (by === 1) return { width, height, labels };
  const large = { width: by * width, height: by * height, labels: new Uint32Array(by * by * width * height) };
  for (let at = 0; at < large.labels.length; at++) {
    const [row, column] = [Math.floor(at / large.width / by), Math.floor((at % large.width) / by)];
    large.labels[at] = labels[row * width + column] ?? 0;
  }
  return large;
}

function canvasOf(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2D canvas');
  return context;
}
