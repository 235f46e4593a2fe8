import type { View } from '../shared/zoomstage';
import { placeOf, type Mosaic } from './mosaic';

/** How much is left of a cell that is dimmed. */
const LEFT = 0.2;

/** A veil over the cells of a mosaic that are not selected: a pixel each, as large as the cell. */
export class Dim {
  readonly element = document.createElement('canvas');
  private shown: Uint8Array | null = null;

  constructor() {
    this.element.className = 'nn-dim';
    this.element.hidden = true;
    this.element.setAttribute('aria-hidden', 'true');
  }

  /** Dims all cells but those that have a 1, in reading order; null dims none. */
  show(mosaic: Mosaic, inside: Uint8Array | null): void {
    if (inside === this.shown) return;
    this.shown = inside;
    const { element } = this;
    element.hidden = inside === null;
    if (!inside) return;
    [element.width, element.height] = [mosaic.columns, mosaic.rows.length];
    const context = element.getContext('2d');
    if (!context) return;
    context.fillStyle = `rgb(0 0 0 / ${1 - LEFT})`;
    for (const [at, selected] of inside.entries()) {
      const place = selected === 1 ? null : placeOf(mosaic, at);
      if (place) context.fillRect(place.column, place.row, 1, 1);
    }
  }

  /** Lays the veil over the mosaic where it is in a view. */
  place({ cellPx, columns, rows }: Mosaic, view: View): void {
    const zoom = view.scale / devicePixelRatio;
    const [width, height] = [columns * cellPx * zoom, rows.length * cellPx * zoom];
    Object.assign(this.element.style, { width: `${width}px`, height: `${height}px`, transform: `translate(${-view.x * zoom}px, ${-view.y * zoom}px)` });
  }
}
