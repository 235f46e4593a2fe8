import { isRecord, textOf } from '../shared/json';
import { Problem } from '../shared/problem';
import { levelSize, maxLevel, shrinkOf, type Pyramid, type TileId } from '../shared/pyramid';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import type { LabelTile } from '../panorama/labelpng';
import type { ZarrImage } from './zarrimage';

/** What has to be the same in an image and its labels. */
export interface Extent {
  width: number;
  height: number;
  planes: number;
  pxPerUm: number | null;
}

const TILE_PX = 512;
/** The longest side of what is read at once: the smallest level of labels is read whole. */
const MOST_PX = 4096;
/** Scales are written with rounded numbers. */
const SCALE_TOLERANCE = 0.01;
const MOST_NAMES = 50;

/** The names of label images that the attributes of a `labels` group list. A name is a path, but none that leads out. */
export function parseLabelNames(attributes: unknown): string[] {
  const ome = isRecord(attributes) && isRecord(attributes.ome) ? attributes.ome : attributes;
  const names: unknown[] = isRecord(ome) && Array.isArray(ome.labels) ? ome.labels : [];
  const within = (name: string) => name.split('/').every((part) => !['', '.', '..'].includes(part));
  return names.map(textOf).filter((name) => name !== null).filter(within).slice(0, MOST_NAMES);
}

/** Why labels are not those of an image; empty where they fit. */
export function misfit(labels: Extent, image: Extent): string {
  if (labels.width !== image.width || labels.height !== image.height) {
    return `they are ${grouped(labels.width)} × ${grouped(labels.height)} px, and the image is ${grouped(image.width)} × ${grouped(image.height)} px`;
  }
  if (labels.planes !== 1 && labels.planes !== image.planes) {
    return `they have ${labels.planes} z planes, and the image has ${image.planes}`;
  }
  const [own, its] = [labels.pxPerUm, image.pxPerUm];
  if (own !== null && its !== null && Math.abs(own / its - 1) > SCALE_TOLERANCE) {
    return `by their scale they are ${lengthText(labels.width / own)} wide, and the image is ${lengthText(image.width / its)} wide`;
  }
  return '';
}

/** The labels of an OME-Zarr image, as the overlay wants them: levels of which each is half as wide as the one above it. */
export function labelPyramid(labels: ZarrImage, z: number): Pyramid {
  const { width, height } = labels;
  const smallest = labels.levelSize(0);
  if (Math.max(smallest.width, smallest.height) > MOST_PX) {
    throw new Problem(`they have no level of at most ${grouped(MOST_PX)} px; write them with more levels`);
  }
  const pyramid: Pyramid = {
    width,
    height,
    tileSize: TILE_PX,
    overlap: 0,
    maxLevel: maxLevel(width, height),
    tileAddress: () => '',
    readLabels: (tile) => readTile(labels, pyramid, tile, z),
  };
  return pyramid;
}

async function readTile(labels: ZarrImage, pyramid: Pyramid, { level, column, row }: TileId, z: number): Promise<LabelTile> {
  const size = levelSize(pyramid, level);
  const [firstX, firstY] = [column * TILE_PX, row * TILE_PX];
  const [width, height] = [Math.min(TILE_PX, size.width - firstX), Math.min(TILE_PX, size.height - firstY)];
  const shrink = shrinkOf(pyramid, level);
  const from = sourceLevel(labels, shrink);
  const source = labels.levelSize(from);
  const columns = samples(firstX, width, (shrink * source.width) / labels.width, source.width);
  const rows = samples(firstY, height, (shrink * source.height) / labels.height, source.height);
  const [left = 0, top = 0] = [columns[0], rows[0]];
  const [right, bottom] = [(columns.at(-1) ?? left) + 1, (rows.at(-1) ?? top) + 1];
  const { pixels } = await labels.read({ level: from, left, top, width: right - left, height: bottom - top }, 0, z);
  const found = new Uint32Array(width * height);
  for (const [y, sourceY] of rows.entries()) {
    const start = (sourceY - top) * (right - left) - left;
    for (const [x, sourceX] of columns.entries()) found[y * width + x] = Math.max(0, pixels[start + sourceX] ?? 0);
  }
  return { width, height, labels: found };
}

/** The smallest level of the labels that is at least as fine as one pixel a `shrink`; the finest is the last. */
function sourceLevel(labels: ZarrImage, shrink: number): number {
  const wanted = labels.width / shrink;
  for (let level = 0; level < labels.maxLevel; level++) if (Math.ceil(labels.levelSize(level).width * 1.001) >= wanted) return level;
  return labels.maxLevel;
}

/** Which pixel of a level stands for each of a tile's, along one axis: the first of those that it covers. */
function samples(first: number, count: number, step: number, size: number): number[] {
  return Array.from({ length: count }, (_, at) => Math.min(size - 1, Math.floor((first + at) * step + 1e-6)));
}

