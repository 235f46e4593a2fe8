import { fetchBlob } from '../shared/files';
import { tilesIn, tilesOf, type Pyramid, type Region } from '../shared/pyramid';
import { CELL_PX } from './nuclei';
import type { LabelTiles } from './tiles';

/**
 * Cuts a nucleus out of a panorama at full resolution: `CELL_PX` wide and high with its centroid in the middle, black
 * outside of its mask.
 */
export async function cutCell(
  intensity: Pyramid,
  tiles: LabelTiles,
  label: number,
  centre: { x: number; y: number },
  signal: AbortSignal,
): Promise<HTMLCanvasElement> {
  const region = { x: Math.round(centre.x) - CELL_PX / 2, y: Math.round(centre.y) - CELL_PX / 2, width: CELL_PX, height: CELL_PX };
  const [image, mask] = await Promise.all([cutImage(intensity, region, signal), cutMask(tiles, label, region, signal)]);
  const context = contextOf(image);
  // Composed, not computed: what a canvas gives to read may be altered.
  context.globalCompositeOperation = 'destination-in';
  context.drawImage(mask, 0, 0);
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#000';
  context.fillRect(0, 0, CELL_PX, CELL_PX);
  return image;
}

async function cutImage(pyramid: Pyramid, region: Region, signal: AbortSignal): Promise<HTMLCanvasElement> {
  const canvas = cellCanvas();
  const context = contextOf(canvas);
  const { tileSize, overlap, maxLevel } = pyramid;
  await Promise.all(
    tilesInside(pyramid, region).map(async (tile) => {
      const blob = await fetchBlob(pyramid.tileAddress({ ...tile, level: maxLevel }), signal);
      const bitmap = await createImageBitmap(blob);
      // Tiles but the first begin `overlap` pixels before their place.
      const left = tile.column * tileSize - (tile.column > 0 ? overlap : 0) - region.x;
      const top = tile.row * tileSize - (tile.row > 0 ? overlap : 0) - region.y;
      context.drawImage(bitmap, left, top);
      bitmap.close();
    }),
  );
  return canvas;
}

/** The mask, opaque where the label is. */
async function cutMask(tiles: LabelTiles, label: number, region: Region, signal: AbortSignal): Promise<HTMLCanvasElement> {
  const canvas = cellCanvas();
  const mask = new ImageData(CELL_PX, CELL_PX);
  const { pyramid } = tiles;
  await Promise.all(
    tilesInside(pyramid, region).map(async (tile) => {
      const { width, height, labels } = await tiles.fetch(tile, signal);
      const left = tile.column * pyramid.tileSize - region.x;
      const top = tile.row * pyramid.tileSize - region.y;
      for (let y = Math.max(0, top); y < Math.min(CELL_PX, top + height); y++) {
        for (let x = Math.max(0, left); x < Math.min(CELL_PX, left + width); x++) {
          if (labels[(y - top) * width + x - left] === label) mask.data[4 * (y * CELL_PX + x) + 3] = 255;
        }
      }
    }),
  );
  contextOf(canvas).putImageData(mask, 0, 0);
  return canvas;
}

function tilesInside(pyramid: Pyramid, region: Region) {
  const block = tilesIn(pyramid, pyramid.maxLevel, { ...region, width: region.width - 1, height: region.height - 1 });
  return block ? tilesOf(block) : [];
}

function cellCanvas(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = CELL_PX;
  canvas.height = CELL_PX;
  return canvas;
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2D canvas');
  return context;
}
