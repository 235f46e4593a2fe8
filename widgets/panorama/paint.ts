import { colourIndex, PIXELS } from './palette';

/** How masks are drawn. */
export type MaskStyle = 'fill' | 'outline';

/** Label numbers, row by row. */
export interface LabelImage {
  width: number;
  height: number;
  labels: Uint32Array;
}

/** A rectangle of whole pixels; `right` and `bottom` are outside. */
export interface PixelBox {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

const CLEAR = 0;
const WHITE = 0xffffffff;

/**
 * Colours the labels of `box` into `pixels`, which has the shape of the label image.
 *
 * `stroke` is the width of outlines in pixels, drawn inside the mask. The `marked` label gets a white outline.
 * What lies beyond the label image is taken to go on as at its border, so that no outline is drawn there.
 */
export function paint(
  { width, height, labels }: LabelImage,
  pixels: Uint32Array,
  box: PixelBox,
  look: { style: MaskStyle; stroke: number; marked: number },
): void {
  const { style, stroke, marked } = look;
  let label = 0;
  let colour = CLEAR;
  for (let y = box.top; y < box.bottom; y++) {
    const up = Math.min(stroke, y) * width;
    const down = Math.min(stroke, height - 1 - y) * width;
    for (let x = box.left, at = y * width + x; x < box.right; x++, at++) {
      const here = labels[at] ?? 0;
      if (here !== label) {
        label = here;
        colour = label === 0 ? CLEAR : (PIXELS[colourIndex(label)] ?? CLEAR);
      }
      if (label === 0 || (style === 'fill' && label !== marked)) {
        pixels[at] = colour;
        continue;
      }
      const left = Math.min(stroke, x);
      const right = Math.min(stroke, width - 1 - x);
      const edge =
        labels[at - left] !== label ||
        labels[at + right] !== label ||
        labels[at - up] !== label ||
        labels[at + down] !== label;
      if (edge) pixels[at] = label === marked ? WHITE : colour;
      else pixels[at] = style === 'fill' ? colour : CLEAR;
    }
  }
}
