import type { View } from '../shared/zoomstage';
import { labelStep, type Mosaic } from './mosaic';

/** CSS pixels that a label needs, and from which on there is room for the passage below the run. */
const ONE_LINE = 18;
const TWO_LINES = 38;

/** The names of the runs beside their rows, as far as there is room for them. */
export class RowLabels {
  readonly element = document.createElement('div');
  private readonly labels: HTMLElement[] = [];

  constructor() {
    this.element.className = 'nn-rows';
    // The readout gives screen readers the run.
    this.element.setAttribute('aria-hidden', 'true');
  }

  draw(mosaic: Mosaic, view: View): void {
    const zoom = view.scale / devicePixelRatio;
    const height = mosaic.cellPx * zoom;
    const step = labelStep(height, ONE_LINE);
    const bottom = view.height / devicePixelRatio;
    let used = 0;
    for (const [at, { run, passage }] of mosaic.rows.entries()) {
      const middle = ((at + 0.5) * mosaic.cellPx - view.y) * zoom;
      if (at % step !== 0 || middle < -height || middle > bottom + height) continue;
      const label = this.label(used++);
      // A row that is in view has its label in view; one that is partly so, in that part.
      const inside = Math.min(Math.max(middle, ONE_LINE / 2 + 2), bottom - ONE_LINE / 2 - 2);
      const isSeen = (middle > 0 && middle < bottom) || Math.abs(inside - middle) < height / 2 - ONE_LINE / 2;
      const top = isSeen ? inside : middle;
      label.style.transform = `translateY(${top.toFixed(1)}px) translateY(-50%)`;
      const [name, below] = label.children;
      if (name) name.textContent = `Run ${run}`;
      if (below) below.textContent = height >= TWO_LINES ? (passage ?? '') : '';
    }
    for (const [at, label] of this.labels.entries()) label.hidden = at >= used;
  }

  private label(at: number): HTMLElement {
    const known = this.labels[at];
    if (known) return known;
    const label = document.createElement('div');
    label.append(document.createElement('b'), document.createElement('span'));
    this.labels.push(label);
    this.element.append(label);
    return label;
  }
}
