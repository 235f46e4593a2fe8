import { colourAt, type ColourMap } from './colourmaps';

/** How grey levels are shown. */
export interface Contrast {
  /** The level that becomes black and the one that becomes white. */
  min: number;
  max: number;
  /** Exponent between them: below 1 dark parts become lighter. */
  gamma: number;
  invert: boolean;
  colour: ColourMap;
}

export const PLAIN: Contrast = { min: 0, max: 255, gamma: 1, invert: false, colour: 'grey' };

/** The colour that each of the 256 grey levels is shown in: red, green and blue one after the other. */
export function contrastTable({ min, max, gamma, invert, colour }: Contrast): Uint8Array {
  const table = new Uint8Array(3 * 256);
  for (let grey = 0; grey < 256; grey++) {
    const level = Math.min(1, Math.max(0, (grey - min) / (max - min))) ** gamma;
    table.set(colourAt(colour, invert ? 1 - level : level), 3 * grey);
  }
  return table;
}

/** Whether the image is shown as it is. */
export function isPlain({ min, max, gamma, invert, colour }: Contrast): boolean {
  return min === PLAIN.min && max === PLAIN.max && gamma === PLAIN.gamma && !invert && colour === PLAIN.colour;
}

/** How contrast is described in a caption; empty where the image is shown as it is. */
export function contrastText(contrast: Contrast): string {
  if (isPlain(contrast)) return '';
  const { min, max, gamma, invert, colour } = contrast;
  const facts = [`grey levels ${min} to ${max}`];
  if (gamma !== 1) facts.push(`gamma ${gamma}`);
  if (invert) facts.push('inverted');
  if (colour !== 'grey') facts.push(`colours ${colour}`);
  return `Shown with ${facts.join(', ')}`;
}

/** The range that holds all but the darkest and the brightest two thousandths of the pixels counted. */
export function autoRange(counts: Uint32Array): { min: number; max: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const reaches = (share: number) => {
    let sum = 0;
    return counts.findIndex((count) => (sum += count) > share * total);
  };
  if (total === 0) return { min: PLAIN.min, max: PLAIN.max };
  const min = Math.min(254, reaches(0.002));
  const max = reaches(0.998);
  return { min, max: Math.max(min + 1, max) };
}
