import { textButton, textElement } from '../shared/elements';
import { rounded } from '../shared/text';
import type { Range } from '../shared/filter';
import type { Measure } from '../shared/measure';

const SVG = 'http://www.w3.org/2000/svg';
export const BINS = 48;
const HEIGHT = 40;
const LEAST = 2;
/** Steps of the sliders between the least and the greatest value. */
const STEPS = 200;

/** The distribution of a measurement over a draw, with the range of it that is shown. */
export class MeasureFilter {
  readonly element = document.createElement('div');
  private readonly all = document.createElementNS(SVG, 'path');
  private readonly some = document.createElementNS(SVG, 'path');
  private readonly picture = document.createElementNS(SVG, 'svg');
  private readonly from: HTMLInputElement;
  private readonly to: HTMLInputElement;
  private readonly text = textElement('output', '', 'nn-range-text');
  private readonly clear: HTMLButtonElement;
  private extent: [number, number] = [0, 1];
  private range: Range = { from: null, to: null };
  private marked: number | null = null;
  private readonly line = textElement('div', '', 'nn-mark');

  constructor(
    readonly measure: Measure,
    private readonly changed: (range: Range | null) => void,
  ) {
    const { element, picture } = this;
    const { name } = measure;
    element.className = 'nn-measure';
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', name);
    picture.setAttribute('viewBox', `0 0 ${BINS} ${HEIGHT}`);
    picture.setAttribute('preserveAspectRatio', 'none');
    picture.setAttribute('aria-hidden', 'true');
    this.all.setAttribute('class', 'nn-all');
    this.some.setAttribute('class', 'nn-some');
    picture.append(this.all, this.some);
    this.from = slider(`${name} from`);
    this.to = slider(`${name} to`);
    this.from.addEventListener('input', () => {
      const at = Math.min(Number(this.from.value), Number(this.to.value));
      this.set({ ...this.range, from: at === 0 ? null : this.valueAt(at) });
    });
    this.to.addEventListener('input', () => {
      const at = Math.max(Number(this.from.value), Number(this.to.value));
      this.set({ ...this.range, to: at === STEPS ? null : this.valueAt(at) });
    });
    this.clear = textButton(
      'All',
      () => {
        this.set({ from: null, to: null });
        this.from.focus();
      },
      'nn-button nn-clear',
    );
    this.clear.setAttribute('aria-label', `All values of ${name}`);
    const heading = document.createElement('div');
    heading.className = 'nn-field-name';
    heading.append(textElement('span', name, 'nn-label'), this.text, this.clear);
    const plot = document.createElement('div');
    plot.className = 'nn-brush nn-two';
    plot.append(picture, this.line, this.from, this.to);
    element.append(heading, plot);
    this.brush(plot);
  }

  /** Shows how values are distributed from the least to the greatest: of all cells of the draw, and of those shown. */
  show(extent: [number, number], all: Uint32Array, some: Uint32Array, range: Range | null): void {
    this.extent = extent;
    this.range = range ?? { from: null, to: null };
    const highest = Math.max(1, ...all);
    this.all.setAttribute('d', outline(all, highest));
    this.some.setAttribute('d', outline(some, highest));
    const [at, end] = [this.placeOf(this.range.from, 0), this.placeOf(this.range.to, STEPS)];
    this.from.value = String(at);
    this.to.value = String(end);
    // Where both thumbs are at the right end, the lower one must be the one that can be dragged away.
    this.from.style.zIndex = at > STEPS / 2 ? '2' : '1';
    this.element.style.setProperty('--from', String(at / STEPS));
    this.element.style.setProperty('--to', String(end / STEPS));
    const [low, high] = [this.range.from ?? extent[0], this.range.to ?? extent[1]];
    const unit = ['', '°'].includes(this.measure.unit) ? this.measure.unit : ` ${this.measure.unit}`;
    this.from.setAttribute('aria-valuetext', `${rounded(low)}${unit}`);
    this.to.setAttribute('aria-valuetext', `${rounded(high)}${unit}`);
    this.text.textContent = `${rounded(low)} – ${rounded(high)}${unit}`;
    this.clear.hidden = range === null;
    this.mark(this.marked);
  }

  /** Marks the value of the chosen cell. */
  mark(value: number | null): void {
    const [least, most] = this.extent;
    this.marked = value;
    this.line.hidden = value === null || value < least || value > most;
    if (value !== null && most > least) this.line.style.left = `${(100 * (value - least)) / (most - least)}%`;
  }

  /** A drag over the histogram takes the range that it covers. */
  private brush(plot: HTMLElement): void {
    let start: number | null = null;
    const place = ({ clientX }: PointerEvent) => {
      const { left, width } = this.picture.getBoundingClientRect();
      return Math.min(STEPS, Math.max(0, Math.round(((clientX - left) / width) * STEPS)));
    };
    plot.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || event.target instanceof HTMLInputElement) return;
      start = place(event);
      plot.setPointerCapture(event.pointerId);
    });
    plot.addEventListener('pointermove', (event) => {
      if (start === null) return;
      const end = place(event);
      if (Math.abs(end - start) < 2) return;
      const [low, high] = [Math.min(start, end), Math.max(start, end)];
      this.set({ from: low === 0 ? null : this.valueAt(low), to: high === STEPS ? null : this.valueAt(high) });
    });
    const stop = () => {
      start = null;
    };
    plot.addEventListener('pointerup', stop);
    plot.addEventListener('pointercancel', stop);
  }

  private set(range: Range): void {
    this.changed(range.from === null && range.to === null ? null : range);
  }

  /** The value of a step, with as many digits as distinguish it from the next. */
  private valueAt(step: number): number {
    const [least, most] = this.extent;
    const digits = Math.max(0, Math.ceil(-Math.log10((most - least) / STEPS || 1)));
    return Number((least + ((most - least) * step) / STEPS).toFixed(Math.min(6, digits)));
  }

  private placeOf(value: number | null, without: number): number {
    const [least, most] = this.extent;
    if (value === null || most <= least) return without;
    return Math.min(STEPS, Math.max(0, Math.round(((value - least) / (most - least)) * STEPS)));
  }
}

/** The outline of a histogram; a few cells among many are seen too, as bars of `LEAST`. */
function outline(bins: Uint32Array, highest: number): string {
  const heights = Array.from(bins, (count) => (count === 0 ? 0 : Math.max(LEAST, (HEIGHT * count) / highest)));
  const tops = heights.map((height) => (HEIGHT - height).toFixed(2));
  return `M0 ${HEIGHT}${tops.map((top, at) => `V${top}H${at + 1}`).join('')}V${HEIGHT}Z`;
}

function slider(name: string): HTMLInputElement {
  const element = document.createElement('input');
  element.type = 'range';
  element.min = '0';
  element.max = String(STEPS);
  element.step = '1';
  element.setAttribute('aria-label', name);
  return element;
}
