import type OpenSeadragon from 'openseadragon';
import { readsAreChanged } from './labelpng';

/** The grey level of a pixel of a panorama, before any contrast. */
export interface GreyValue {
  grey: number;
  /** Whether it is that of the pixel itself, not of a smaller copy of the image or of a browser that alters what it gives. */
  exact: boolean;
}

const probe = document.createElement('canvas');
probe.width = 1;
probe.height = 1;
const probeContext = probe.getContext('2d', { willReadFrequently: true });

/** Reads the grey level at an image pixel from the finest tile that is drawn there; null where none is. */
export function greyAt(viewer: OpenSeadragon.Viewer, x: number, y: number, width: number): GreyValue | null {
  const image = viewer.world.getItemAt(0) as unknown as DrawnImage | undefined;
  if (!image || !probeContext) return null;
  let finest: DrawnTile | null = null;
  for (const { tile } of image.getTilesToDraw()) {
    const { bounds } = tile;
    const [left, top] = [bounds.x * width, bounds.y * width];
    const inside = x >= left && y >= top && x < left + bounds.width * width && y < top + bounds.height * width;
    if (inside && (!finest || tile.level > finest.level)) finest = tile;
  }
  const source = finest && (viewer.drawer as unknown as TileDrawer).getDataToDraw(finest);
  if (!finest || !source) return null;
  const { bounds, sourceBounds } = finest;
  const scale = sourceBounds.width / (bounds.width * width);
  // The middle of the pixel; that of a smaller level represents several.
  const column = Math.min(sourceBounds.x + sourceBounds.width - 1, Math.floor(sourceBounds.x + (x + 0.5 - bounds.x * width) * scale));
  const row = Math.min(sourceBounds.y + sourceBounds.height - 1, Math.floor(sourceBounds.y + (y + 0.5 - bounds.y * width) * scale));
  probeContext.drawImage(source.canvas, column, row, 1, 1, 0, 0, 1, 1);
  const [grey = 0] = probeContext.getImageData(0, 0, 1, 1).data;
  return { grey, exact: finest.level === image.source.maxLevel && !readsAreChanged() };
}

// What OpenSeadragon has but its types leave out.
interface DrawnTile {
  level: number;
  bounds: OpenSeadragon.Rect;
  sourceBounds: OpenSeadragon.Rect;
}
interface DrawnImage {
  source: { maxLevel: number };
  getTilesToDraw(): { tile: DrawnTile }[];
}
interface TileDrawer {
  getDataToDraw(tile: DrawnTile): CanvasRenderingContext2D | undefined;
}
