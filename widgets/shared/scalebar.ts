/** A length for the scale bar: round, and drawn no longer than asked. */
export interface ScaleLength {
  micrometres: number;
  /** Length on the screen, in CSS pixels. */
  pixels: number;
  text: string;
}

/** The longest of 1, 2 and 5 times a power of ten micrometres that fits into `maxPixels`. */
export function scaleLength(pixelsPerMicrometre: number, maxPixels: number): ScaleLength {
  const longest = maxPixels / pixelsPerMicrometre;
  const power = 10 ** Math.floor(Math.log10(longest));
  // The slack keeps 100 um at 100 where a division leaves 99.999.
  const step = [5, 2, 1].find((candidate) => candidate * power <= longest * (1 + 1e-9)) ?? 1;
  const micrometres = step * power;
  return { micrometres, pixels: micrometres * pixelsPerMicrometre, text: lengthText(micrometres) };
}

/** A length with the unit that suits it. */
export function lengthText(micrometres: number): string {
  const [value, unit] =
    micrometres >= 1000 ? [micrometres / 1000, 'mm'] : micrometres < 1 ? [micrometres * 1000, 'nm'] : [micrometres, 'µm'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/** The bar itself, drawn over the image. */
export class ScaleBar {
  readonly element = document.createElement('div');
  private readonly bar = document.createElement('div');
  private readonly text = document.createElement('div');

  constructor() {
    this.element.className = 'nn-scale';
    this.bar.className = 'nn-scale-bar';
    this.text.className = 'nn-scale-text';
    this.element.append(this.text, this.bar);
  }

  /** Follows the zoom; without a known scale there is no bar. */
  update(pixelsPerMicrometre: number | null, viewWidth: number): void {
    this.element.hidden = pixelsPerMicrometre === null;
    if (pixelsPerMicrometre === null) return;
    const { pixels, text } = scaleLength(pixelsPerMicrometre, Math.min(160, viewWidth * 0.3));
    this.bar.style.width = `${pixels.toFixed(2)}px`;
    if (this.text.textContent !== text) this.text.textContent = text;
  }
}
