import {
  levelAt,
  levelSize,
  overviewLevel,
  shrinkOf,
  tilesIn,
  tilesOf,
  type Pyramid,
  type Region,
  type TileBlock,
  type TileId,
} from '../shared/pyramid';
import type { View } from '../shared/zoomstage';
import { colourNeighbours, findDiscs, type Disc } from './colouring';
import { paint, type LabelImage, type MaskStyle, type PixelBox } from './paint';
import { colourIndex, cssOf, PIXELS } from './palette';
import { LabelTiles } from './tiles';

/** Width of an outline on the screen, in CSS pixels. */
export const OUTLINE = 2.2;
/** How much is left of the opacity of a nucleus that is dim, unless the view says so. */
const DIM = 0.15;

/**
 * Draws the masks of a panorama over its image.
 *
 * The label tiles in view are put together in one off-screen picture at the resolution of their level, which is then
 * drawn scaled: tiles drawn one by one would show seams.
 */
export class LabelOverlay {
  readonly tiles: LabelTiles;
  private readonly context: CanvasRenderingContext2D | null;
  private readonly sheet = document.createElement('canvas');
  private readonly sheetContext = this.sheet.getContext('2d');
  private block: TileBlock | null = null;
  private image: LabelImage = { width: 0, height: 0, labels: new Uint32Array() };
  private data: ImageData | null = null;
  private stroke = 0;
  private style: MaskStyle | null = 'fill';
  private alpha = 0xff000000;
  private marked = 0;
  private chosen = 0;
  /** Fulfilled once it is known where the nuclei are. */
  readonly surveyed: Promise<void>;
  private endSurvey: () => void = () => undefined;
  private discs = new Map<number, Disc>();
  private colours = new Map<number, number>();
  private given: ((label: number) => number) | null = null;
  private dim: ((label: number) => boolean) | null = null;
  private wantedView = '';

  constructor(
    private readonly canvas: HTMLCanvasElement,
    readonly pyramid: Pyramid,
    events: { changed(): void; failed(): void },
    private readonly outline = OUTLINE,
    private readonly left = DIM,
  ) {
    this.context = canvas.getContext('2d');
    this.surveyed = new Promise((resolve) => {
      this.endSurvey = resolve;
    });
    this.tiles = new LabelTiles(pyramid, {
      loaded: (tile) => {
        if (tile.level === overviewLevel(pyramid)) this.survey(tile);
        this.place(tile);
        events.changed();
      },
      failed: () => {
        events.failed();
      },
    });
  }

  /** Sets how masks are drawn; without a style only the nuclei marked and chosen are outlined. */
  setStyle(style: MaskStyle | null, opacity: number): void {
    const alpha = (Math.round(opacity * 255) << 24) >>> 0;
    if (style === this.style && alpha === this.alpha) return;
    this.style = style;
    this.alpha = alpha;
    this.repaint();
  }

  /**
   * Sets the colour of each nucleus, as a pixel of an ImageData, and which are dim: null gives neighbours different colours,
   * and dims none.
   */
  setColours(given: ((label: number) => number) | null, dim: ((label: number) => boolean) | null = null): void {
    if (given === this.given && dim === this.dim) return;
    this.given = given;
    this.dim = dim;
    this.repaint();
  }

  /** Marks the nucleus pointed at, 0 marks none; returns whether that is a change. */
  mark(label: number): boolean {
    if (label === this.marked) return false;
    const { bare, marked } = this;
    this.marked = label;
    this.repaintNuclei(bare, [marked, label]);
    return true;
  }

  /** Marks the chosen nucleus, 0 marks none. */
  choose(label: number): void {
    if (label === this.chosen) return;
    const { bare, chosen } = this;
    this.chosen = label;
    this.repaintNuclei(bare, [chosen, label]);
  }

  /** CSS colour of a nucleus. */
  colourOf(label: number): string {
    return cssOf(this.pixelOf(label));
  }

  /** About where a nucleus is, in image pixels; null if it is too small for the overview, or that has not come yet. */
  placeOf(label: number): { x: number; y: number; width: number } | null {
    const disc = this.discs.get(label);
    const shrink = shrinkOf(this.pyramid, overviewLevel(this.pyramid));
    return disc ? { x: disc.x * shrink, y: disc.y * shrink, width: 2 * disc.radius * shrink } : null;
  }

  /** Paints everything again, after a canvas was lost. */
  restore(): void {
    this.repaint();
  }

  /** Fetches what the view will need once it has come to rest at `view`. */
  fetchFor(view: View): void {
    const level = levelAt(this.pyramid, view.scale);
    const block = tilesIn(this.pyramid, level, regionOf(view));
    const name = JSON.stringify(block);
    if (name === this.wantedView) return;
    this.wantedView = name;
    // The overview is shown wherever finer tiles are still to come.
    const overview: TileId = { level: overviewLevel(this.pyramid), column: 0, row: 0 };
    const rest = block ? tilesOf(block).filter((tile) => tile.level !== overview.level) : [];
    this.tiles.want([overview, ...rest]);
  }

  /** Draws the masks as the image is drawn. */
  draw(view: View): void {
    const { canvas, context } = this;
    if (!context) return;
    if (canvas.width !== view.width || canvas.height !== view.height) {
      canvas.width = view.width;
      canvas.height = view.height;
    } else {
      context.clearRect(0, 0, canvas.width, canvas.height);
    }
    if (this.bare) return;
    const level = levelAt(this.pyramid, view.scale);
    const block = tilesIn(this.pyramid, level, regionOf(view));
    if (!block) return;
    const shrink = shrinkOf(this.pyramid, level);
    const cell = view.scale * shrink;
    const stroke = Math.max(1, Math.round((this.outline * devicePixelRatio) / cell));
    if (!sameBlock(block, this.block)) this.assemble(block, stroke);
    else if (stroke !== this.stroke) {
      this.stroke = stroke;
      this.repaint();
    }

    // A kept pixel is the first of its `shrink`: its middle is there, not in the middle of the pixels it represents.
    const offset = (shrink - 1) / 2;
    const side = this.pyramid.tileSize * shrink;
    const left = (block.column * side - offset - view.x) * view.scale;
    const top = (block.row * side - offset - view.y) * view.scale;
    // Only the part in view, since the whole would be enormous when zoomed in to pixels.
    const firstX = Math.max(0, Math.floor(-left / cell));
    const firstY = Math.max(0, Math.floor(-top / cell));
    const endX = Math.min(this.image.width, Math.ceil((view.width - left) / cell));
    const endY = Math.min(this.image.height, Math.ceil((view.height - top) / cell));
    const columns = endX - firstX;
    const rows = endY - firstY;
    if (columns <= 0 || rows <= 0) return;
    // Edges of single pixels are to be seen as such; where several fall into one screen pixel they are averaged.
    context.imageSmoothingEnabled = cell < 1;
    context.drawImage(
      this.sheet,
      firstX,
      firstY,
      columns,
      rows,
      left + firstX * cell,
      top + firstY * cell,
      columns * cell,
      rows * cell,
    );
  }

  destroy(): void {
    this.tiles.destroy();
    this.context?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** Puts the label tiles of a block together. */
  private assemble(block: TileBlock, stroke: number): void {
    this.block = block;
    this.stroke = stroke;
    const { tileSize } = this.pyramid;
    const size = levelSize(this.pyramid, block.level);
    const width = Math.min(block.columns * tileSize, size.width - block.column * tileSize);
    const height = Math.min(block.rows * tileSize, size.height - block.row * tileSize);
    if (width !== this.image.width || height !== this.image.height) {
      this.image = { width, height, labels: new Uint32Array(width * height) };
      this.sheet.width = width;
      this.sheet.height = height;
      this.data = new ImageData(width, height);
    }
    for (const tile of tilesOf(block)) this.copy(tile);
    this.repaint();
  }

  /** Adds a tile that has come: itself, or the part of the block that it is shown in place of. */
  private place(tile: TileId): void {
    const { block } = this;
    if (!block || tile.level > block.level) return;
    if (tile.level < block.level) {
      this.assemble(block, this.stroke);
      return;
    }
    const box = this.copy(tile);
    if (!box) return;
    // Outlines of the tiles beside it depend on this one.
    this.repaint({
      left: Math.max(0, box.left - this.stroke),
      top: Math.max(0, box.top - this.stroke),
      right: Math.min(this.image.width, box.right + this.stroke),
      bottom: Math.min(this.image.height, box.bottom + this.stroke),
    });
  }

  /** Copies a tile's labels to their place in the block, from a coarser tile if need be. */
  private copy(tile: TileId): PixelBox | null {
    const { block, image, pyramid } = this;
    if (!block) return null;
    const { tileSize } = pyramid;
    const left = (tile.column - block.column) * tileSize;
    const top = (tile.row - block.row) * tileSize;
    const right = Math.min(left + tileSize, image.width);
    const bottom = Math.min(top + tileSize, image.height);
    if (left < 0 || top < 0 || left >= image.width || top >= image.height) return null;

    for (let up = 0; up <= tile.level; up++) {
      const times = 2 ** up;
      const source = this.tiles.get({
        level: tile.level - up,
        column: Math.floor(tile.column / times),
        row: Math.floor(tile.row / times),
      });
      if (!source) continue;
      const sourceLeft = (tile.column % times) * (tileSize / times);
      const sourceTop = (tile.row % times) * (tileSize / times);
      for (let y = top; y < bottom; y++) {
        const row = Math.min(source.height - 1, Math.floor(sourceTop + (y - top) / times)) * source.width;
        if (up === 0) {
          image.labels.set(source.labels.subarray(row, row + right - left), y * image.width + left);
          continue;
        }
        for (let x = left; x < right; x++) {
          const column = Math.min(source.width - 1, Math.floor(sourceLeft + (x - left) / times));
          image.labels[y * image.width + x] = source.labels[row + column] ?? 0;
        }
      }
      return { left, top, right, bottom };
    }
    for (let y = top; y < bottom; y++) image.labels.fill(0, y * image.width + left, y * image.width + right);
    return { left, top, right, bottom };
  }

  /** Learns from the overview where the nuclei are. */
  private survey(tile: TileId): void {
    const overview = this.tiles.get(tile);
    if (!overview) return;
    const discs = findDiscs(overview);
    this.discs = new Map(discs.map((disc) => [disc.label, disc]));
    this.colours = colourNeighbours(discs);
    this.endSurvey();
  }

  /** Whether there is nothing to paint. */
  private get bare(): boolean {
    return this.style === null && this.marked === 0 && this.chosen === 0;
  }

  private pixelOf(label: number): number {
    return this.given?.(label) ?? PIXELS[this.colours.get(label) ?? colourIndex(label)] ?? 0;
  }

  /** The colour of a nucleus with its opacity. */
  private inkOf(label: number): number {
    const { alpha } = this;
    const shown = this.dim?.(label) ? (Math.round((alpha >>> 24) * this.left) << 24) >>> 0 : alpha;
    return ((this.pixelOf(label) & 0xffffff) | shown) >>> 0;
  }

  /** Labels of a part of the panorama in the colours of the overlay: for a picture, at whatever level they come from. */
  paintImage(image: LabelImage, pixels: Uint32Array, stroke: number): void {
    const { style, marked, chosen } = this;
    const colourOf = (label: number) => this.inkOf(label);
    const box = { left: 0, top: 0, right: image.width, bottom: image.height };
    paint(image, pixels, box, { style, stroke, marked: marked === chosen ? marked : 0, chosen, colourOf });
  }

  /** Paints again what has to do with some nuclei, and no more: while the pointer moves, that is in every frame. */
  private repaintNuclei(wasBare: boolean, labels: number[]): void {
    if (wasBare) {
      this.repaint();
      return;
    }
    // The outline around the chosen one may reach into those that are painted before it.
    for (const label of new Set([...labels, this.chosen])) {
      const box = this.boxOf(label);
      if (box) this.repaint(box);
    }
  }

  /** The part of the block that a nucleus and its outlines take up; null where it is not there. */
  private boxOf(label: number): PixelBox | null {
    const { image, stroke } = this;
    const { width, height, labels } = image;
    const first = label === 0 ? -1 : labels.indexOf(label);
    if (first < 0) return null;
    const [top, bottom] = [Math.floor(first / width), Math.floor(labels.lastIndexOf(label) / width) + 1];
    let [left, right] = [width, 0];
    for (let y = top; y < bottom; y++) {
      const row = labels.subarray(y * width, (y + 1) * width);
      const from = row.indexOf(label);
      if (from < 0) continue;
      left = Math.min(left, from);
      right = Math.max(right, row.lastIndexOf(label) + 1);
    }
    return {
      left: Math.max(0, left - stroke),
      top: Math.max(0, top - stroke),
      right: Math.min(width, right + stroke),
      bottom: Math.min(height, bottom + stroke),
    };
  }

  private repaint(box?: PixelBox): void {
    const { image, data, style, stroke, marked, chosen } = this;
    if (!data || this.bare) return;
    const { left, top, right, bottom } = box ?? { left: 0, top: 0, right: image.width, bottom: image.height };
    const colourOf = (label: number) => this.inkOf(label);
    paint(image, new Uint32Array(data.data.buffer), { left, top, right, bottom }, { style, stroke, marked, chosen, colourOf });
    // The dark outline of the chosen nucleus may extend beyond the box.
    const [x, y] = [Math.max(0, left - stroke), Math.max(0, top - stroke)];
    this.sheetContext?.putImageData(data, 0, 0, x, y, right - x + stroke, bottom - y + stroke);
  }
}

function regionOf(view: View): Region {
  return { x: view.x, y: view.y, width: view.width / view.scale, height: view.height / view.scale };
}

function sameBlock(a: TileBlock, b: TileBlock | null): boolean {
  return (
    b !== null &&
    a.level === b.level &&
    a.column === b.column &&
    a.row === b.row &&
    a.columns === b.columns &&
    a.rows === b.rows
  );
}
