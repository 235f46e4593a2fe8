import { isRecord, numberOf } from '../shared/json';
import type { View } from '../shared/zoomstage';

export const KINDS = ['missed', 'spurious', 'split', 'merged'] as const;
export type MistakeKind = (typeof KINDS)[number];

/** A nucleus that masks get wrong: the label of the true nucleus where it was missed or split, else of the mask. */
export interface Mistake {
  kind: MistakeKind;
  label: number;
  /** Its centroid, in pixels of the panorama. */
  x: number;
  y: number;
}

/** Reads the text of a `mistakes.json`; what is no mistake is left out. */
export function parseMistakes(text: string): Mistake[] {
  const value: unknown = JSON.parse(text);
  const columns = isRecord(value) && isRecord(value.columns) ? value.columns : {};
  const column = (name: string): unknown[] => (Array.isArray(columns[name]) ? columns[name] : []);
  const [labels, xs, ys] = [column('label'), column('x_px'), column('y_px')];
  return column('kind').flatMap((entry, row) => {
    const kind = KINDS.find((one) => one === entry);
    const [label, x, y] = [numberOf(labels[row]), numberOf(xs[row]), numberOf(ys[row])];
    return kind === undefined || label === null || x === null || y === null ? [] : [{ kind, label, x, y }];
  });
}

/** The next mistake of a kind after a place, from the top on to the bottom and from there to the top. */
export function nextMistake(mistakes: readonly Mistake[], kind: MistakeKind, last: Mistake | null): Mistake | null {
  const own = mistakes.filter((one) => one.kind === kind).sort((a, b) => a.y - b.y || a.x - b.x);
  return own[(last === null ? -1 : own.indexOf(last)) + 1] ?? own[0] ?? null;
}

/** Draws a ring around each mistake in view, with the word for it. */
export function drawMistakes(context: CanvasRenderingContext2D, mistakes: readonly Mistake[], view: View, ratio: number): void {
  const radius = Math.max(14 * ratio, 65 * view.scale);
  context.font = `600 ${12 * ratio}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'bottom';
  for (const { kind, x, y } of mistakes) {
    const [left, top] = [(x - view.x) * view.scale, (y - view.y) * view.scale];
    if (left < -radius || top < -radius || left > view.width + radius || top > view.height + 2 * radius) continue;
    for (const [colour, width] of [['#000', 4], ['#f0e442', 2]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.beginPath();
      context.arc(left, top, radius, 0, 2 * Math.PI);
      context.stroke();
    }
    context.strokeStyle = '#000';
    context.lineWidth = 4 * ratio;
    context.fillStyle = '#f0e442';
    // Above the ring, or below it at the upper edge.
    const line = top - radius - 3 * ratio > 14 * ratio ? top - radius - 3 * ratio : top + radius + 17 * ratio;
    context.strokeText(kind, left, line);
    context.fillText(kind, left, line);
  }
}
