import { contrastTable, isPlain, type Contrast } from './contrast';

const SVG = 'http://www.w3.org/2000/svg';
let filters = 0;

/**
 * Shows canvases with a contrast, without touching their pixels: an SVG filter with a table of 256 values a channel is
 * exact to a grey level. Its element has to be in the same shadow root as the canvases.
 */
export class ContrastFilter {
  readonly element = document.createElementNS(SVG, 'svg');
  private readonly channels = ['R', 'G', 'B'].map((channel) => document.createElementNS(SVG, `feFunc${channel}`));
  private readonly id = `nn-contrast-${++filters}`;
  private css = '';

  constructor(private readonly canvases: () => HTMLElement[]) {
    const filter = document.createElementNS(SVG, 'filter');
    const transfer = document.createElementNS(SVG, 'feComponentTransfer');
    filter.id = this.id;
    filter.setAttribute('color-interpolation-filters', 'sRGB');
    for (const channel of this.channels) channel.setAttribute('type', 'table');
    transfer.append(...this.channels);
    filter.append(transfer);
    this.element.append(filter);
    this.element.setAttribute('class', 'nn-hidden');
    this.element.setAttribute('aria-hidden', 'true');
  }

  show(contrast: Contrast): void {
    const table = contrastTable(contrast);
    this.channels.forEach((channel, at) => {
      const values = Array.from({ length: 256 }, (_, grey) => ((table[3 * grey + at] ?? 0) / 255).toFixed(5));
      channel.setAttribute('tableValues', values.join(' '));
    });
    this.css = isPlain(contrast) ? '' : `url(#${this.id})`;
    this.apply();
  }

  /** Takes up canvases that came later. */
  apply(): void {
    for (const canvas of this.canvases()) canvas.style.filter = this.css;
  }
}
