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

/** How a label image is painted. */
export interface PaintOptions {
  /** Null paints nothing but the outlines of the two nuclei below. */
  style: MaskStyle | null;
  /** Width of outlines in pixels. */
  stroke: number;
  /** The nucleus pointed at, and the one chosen: each gets a white outline; 0 is none. */
  marked: number;
  chosen: number;
  /** The colour of a label, as a pixel of an ImageData seen as a 32-bit little-endian number. */
  colourOf: (label: number) => number;
}

const CLEAR = 0;
const WHITE = 0xffffffff;
const SHADOW = 0xd0000000;

/**
 * Colours the labels of `box` into `pixels`, which has the shape of the label image.
 *
 * Outlines are drawn inside the mask; the chosen nucleus has a dark one outside it too. What is beyond the label image
 * is taken to go on as at its border, so that no outline is drawn there.
 */
export function paint(image: LabelImage, pixels: Uint32Array, box: PixelBox, options: PaintOptions): void {
  const { width, height, labels } = image;
  const { style, stroke, marked, chosen, colourOf } = options;
  const found: PixelBox = { left: width, top: height, right: 0, bottom: 0 };
  let label = 0;
  let colour = CLEAR;
  let inside = CLEAR;
  let outlined = false;
  for (let y = box.top; y < box.bottom; y++) {
    const up = Math.min(stroke, y) * width;
    const down = Math.min(stroke, height - 1 - y) * width;
    for (let x = box.left, at = y * width + x; x < box.right; x++, at++) {
      const here = labels[at] ?? 0;
      if (here !== label) {
        label = here;
        const named = label !== 0 && (label === marked || label === chosen);
        colour = label === 0 || style === null ? CLEAR : colourOf(label);
        inside = style === 'fill' ? colour : CLEAR;
        outlined = named || (label !== 0 && style === 'outline');
        if (named) colour = WHITE;
      }
      if (!outlined) {
        pixels[at] = inside;
        continue;
      }
      if (label === chosen) {
        found.left = Math.min(found.left, x);
        found.right = Math.max(found.right, x + 1);
        found.top = Math.min(found.top, y);
        found.bottom = y + 1;
      }
      const left = Math.min(stroke, x);
      const right = Math.min(stroke, width - 1 - x);
      const edge =
        labels[at - left] !== label ||
        labels[at + right] !== label ||
        labels[at - up] !== label ||
        labels[at + down] !== label;
      pixels[at] = edge ? colour : inside;
    }
  }
  shade(image, pixels, { left: found.left - stroke, top: found.top - stroke, right: found.right + stroke, bottom: found.bottom + stroke }, options);
}

/** Draws the dark outline around the chosen nucleus, which is in `box` with it. */
function shade({ width, height, labels }: LabelImage, pixels: Uint32Array, box: PixelBox, { stroke, chosen }: PaintOptions): void {
  const is = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === chosen;
  for (let y = Math.max(0, box.top); y < Math.min(height, box.bottom); y++) {
    for (let x = Math.max(0, box.left); x < Math.min(width, box.right); x++) {
      if (is(x, y)) continue;
      if (is(x - stroke, y) || is(x + stroke, y) || is(x, y - stroke) || is(x, y + stroke)) pixels[y * width + x] = SHADOW;
    }
  }
}
