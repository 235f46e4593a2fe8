import { fetchText } from './files';
import { Problem } from './problem';

/**
 * Deep Zoom pyramids: the descriptor, and which tile holds what.
 *
 * Level `maxLevel` is the image at full size; each level below it is half as wide. A level's `shrink` is the number of
 * image pixels along one side of one of its pixels.
 */
export interface Pyramid {
  width: number;
  height: number;
  tileSize: number;
  overlap: number;
  maxLevel: number;
  tileAddress(tile: TileId): string;
  /** Reads the labels of a tile, where they do not come as a file each. */
  readLabels?(tile: TileId, signal?: AbortSignal): Promise<{ width: number; height: number; labels: Uint32Array }>;
}

export interface TileId {
  level: number;
  column: number;
  row: number;
}

/** A block of tiles of one level. */
export interface TileBlock {
  level: number;
  column: number;
  row: number;
  columns: number;
  rows: number;
}

/** A rectangle in image pixels. */
export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The pyramid that a Deep Zoom descriptor at `address` describes, or null if it is none. */
export function parseDescriptor(xml: string, address: string): Pyramid | null {
  const document = new DOMParser().parseFromString(xml, 'application/xml');
  const image = document.getElementsByTagName('Image')[0];
  const size = document.getElementsByTagName('Size')[0];
  const width = Number(size?.getAttribute('Width'));
  const height = Number(size?.getAttribute('Height'));
  const tileSize = Number(image?.getAttribute('TileSize'));
  const overlap = Number(image?.getAttribute('Overlap') ?? 0);
  const format = image?.getAttribute('Format') ?? '';
  const sizes = [width, height, tileSize];
  if (!sizes.every((value) => Number.isInteger(value) && value > 0) || !/^\w+$/.test(format)) return null;
  return { width, height, tileSize, overlap, maxLevel: maxLevel(width, height), tileAddress: tileAddresses(address, format) };
}

/** Fetches the descriptor at an address; `what` names the pyramid in a message. */
export async function fetchPyramid(address: string, what: string, signal: AbortSignal): Promise<Pyramid> {
  const pyramid = parseDescriptor(await fetchText(address, what, signal), address);
  if (!pyramid) throw new Problem(`${what} could not be read: its description is damaged.`);
  return pyramid;
}

/** The level at full size. */
export function maxLevel(width: number, height: number): number {
  return Math.ceil(Math.log2(Math.max(width, height, 1)));
}

/** Where the tiles of the descriptor at `address` are: `x.dzi` has them in `x_files/LEVEL/COLUMN_ROW.FORMAT`. */
export function tileAddresses(address: string, format: string): (tile: TileId) => string {
  const url = new URL(address);
  const folder = url.pathname.replace(/\.[^./]*$/, '') + '_files/';
  return ({ level, column, row }) => {
    url.pathname = `${folder}${level}/${column}_${row}.${format}`;
    return url.href;
  };
}

/** Image pixels along one side of a pixel of `level`. */
export function shrinkOf(pyramid: Pyramid, level: number): number {
  return 2 ** (pyramid.maxLevel - level);
}

export function levelSize(pyramid: Pyramid, level: number): { width: number; height: number } {
  const shrink = shrinkOf(pyramid, level);
  return { width: Math.ceil(pyramid.width / shrink), height: Math.ceil(pyramid.height / shrink) };
}

/** The highest level that is a single tile. */
export function overviewLevel(pyramid: Pyramid): number {
  const tiles = Math.max(pyramid.width, pyramid.height) / pyramid.tileSize;
  return Math.max(0, pyramid.maxLevel - Math.max(0, Math.ceil(Math.log2(tiles))));
}

/** The level whose pixels come closest in size to those of the screen, at `scale` screen pixels an image pixel. */
export function levelAt(pyramid: Pyramid, scale: number): number {
  const level = pyramid.maxLevel + Math.round(Math.log2(scale));
  return Math.min(pyramid.maxLevel, Math.max(overviewLevel(pyramid), level));
}

/** The tiles of `level` that touch a region; null if the region is beside the image. */
export function tilesIn(pyramid: Pyramid, level: number, region: Region): TileBlock | null {
  const side = pyramid.tileSize * shrinkOf(pyramid, level);
  const size = levelSize(pyramid, level);
  const lastColumn = Math.ceil(size.width / pyramid.tileSize) - 1;
  const lastRow = Math.ceil(size.height / pyramid.tileSize) - 1;
  const column = Math.max(0, Math.floor(region.x / side));
  const row = Math.max(0, Math.floor(region.y / side));
  const columns = Math.min(lastColumn, Math.floor((region.x + region.width) / side)) - column + 1;
  const rows = Math.min(lastRow, Math.floor((region.y + region.height) / side)) - row + 1;
  return columns > 0 && rows > 0 ? { level, column, row, columns, rows } : null;
}

/** The tiles of a block, those nearest its middle first. */
export function tilesOf(block: TileBlock): TileId[] {
  const tiles: TileId[] = [];
  for (let row = block.row; row < block.row + block.rows; row++) {
    for (let column = block.column; column < block.column + block.columns; column++) {
      tiles.push({ level: block.level, column, row });
    }
  }
  const middle = { column: block.column + (block.columns - 1) / 2, row: block.row + (block.rows - 1) / 2 };
  const distance = (tile: TileId) => Math.hypot(tile.column - middle.column, tile.row - middle.row);
  return tiles.sort((a, b) => distance(a) - distance(b));
}

/**
 * The pixel of a nearest-shrunk level that represents image pixel `at`, along one axis.
 *
 * Such a level keeps every `shrink`th pixel, the first included, so the closest kept pixel is found by rounding.
 */
export function nearestSample(at: number, shrink: number, length: number): number {
  return Math.min(Math.round(at / shrink), length - 1);
}
