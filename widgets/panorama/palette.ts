/**
 * Colours of the nucleus masks: random to the eye, but the same each time for the same label number.
 *
 * The twelve colours are as far apart as is possible at once for normal colour vision and for protanopia, deuteranopia
 * and tritanopia, and each is far from its two neighbours in this order, since labels that follow one another often
 * number nuclei side by side.
 */
export const COLOURS = [
  '#998811', '#0099bb', '#2255dd', '#bb1100', '#66ccee', '#ffbb55',
  '#bb6677', '#bb77ff', '#00ffbb', '#ff8877', '#aa2299', '#eeee00',
] as const;

/** The place in `COLOURS` of a label: every run of twelve labels has all twelve colours, in an order of its own. */
export function colourIndex(label: number): number {
  const count = COLOURS.length;
  const block = Math.floor(label / count);
  return (label + scramble(block)) % count;
}

/** The same colours as opaque pixels of an ImageData seen as 32-bit little-endian numbers. */
export const PIXELS = Uint32Array.from(COLOURS, pixelOf);

/** A colour such as `#998811` as an opaque pixel of an ImageData seen as a 32-bit little-endian number. */
export function pixelOf(colour: string): number {
  const rgb = Number.parseInt(colour.slice(1), 16);
  return ((0xff << 24) | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}

/** The CSS colour of such a pixel. */
export function cssOf(pixel: number): string {
  const rgb = ((pixel & 0xff) << 16) | (pixel & 0xff00) | ((pixel >>> 16) & 0xff);
  return `#${rgb.toString(16).padStart(6, '0')}`;
}

/** Mixes the bits of a number, so that the orders of successive blocks look unrelated. */
function scramble(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  return (bits ^ (bits >>> 14)) >>> 0;
}
