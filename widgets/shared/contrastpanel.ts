import { COLOUR_MAPS, type ColourMap } from './colourmaps';
import { autoRange, contrastTable, isPlain, PLAIN, type Contrast } from './contrast';
import { disclosureButton, textButton, textElement } from './elements';
import { histogramPath } from './histogram';

const NAME = 'Brightness and contrast';
const HEIGHT = 48;
const SVG = 'http://www.w3.org/2000/svg';
const NAMES: Record<ColourMap, string> = { grey: 'Grey', cividis: 'Cividis', viridis: 'Viridis', inferno: 'Inferno' };

/** Sets how grey levels are shown, beside a histogram of those in view; `button` opens and closes it. */
export class ContrastPanel {
  readonly element = document.createElement('div');
  readonly button = disclosureButton(NAME, 'nn-contrast-button', (open) => {
    this.element.hidden = !open;
    this.count();
  }, 'M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16');
  private readonly counted = document.createElementNS(SVG, 'path');
  private readonly strip = document.createElement('canvas');
  private readonly min = slider('Black from grey level', 0, 254, 1);
  private readonly max = slider('White from grey level', 1, 255, 1);
  private readonly range = textElement('output', '', 'nn-range-text');
  private readonly gamma = slider('Gamma', -100, 100, 5);
  private readonly gammaText = textElement('output', '', 'nn-gamma-text');
  private readonly colour = document.createElement('select');
  private readonly invert = document.createElement('input');
  private contrast: Contrast = PLAIN;
  private counts = new Uint32Array(256);

  /** `levels` counts how often each grey level is in view; null while nothing is. */
  constructor(
    private readonly changed: (contrast: Contrast) => void,
    private readonly levels: () => Uint32Array | null,
  ) {
    const { element, min, max, gamma, colour, invert } = this;
    element.className = 'nn-contrast';
    element.hidden = true;
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', NAME);
    element.append(this.levelsField(), this.gammaField(), this.colourField(), this.buttons());
    min.addEventListener('input', () => {
      this.set({ min: Math.min(Number(min.value), this.contrast.max - 1) });
    });
    max.addEventListener('input', () => {
      this.set({ max: Math.max(Number(max.value), this.contrast.min + 1) });
    });
    gamma.addEventListener('input', () => {
      // Even steps of the slider are even factors: 0.2 to 5 around 1.
      this.set({ gamma: Number((5 ** (Number(gamma.value) / 100)).toFixed(2)) });
    });
    colour.addEventListener('change', () => {
      this.set({ colour: COLOUR_MAPS.find((name) => name === colour.value) ?? 'grey' });
    });
    invert.addEventListener('change', () => {
      this.set({ invert: invert.checked });
    });
  }

  show(contrast: Contrast): void {
    const { min, max, gamma } = contrast;
    this.contrast = contrast;
    this.min.value = String(min);
    this.max.value = String(max);
    // Where the thumbs meet at the right end, the lower one must be the one that can be dragged away.
    this.min.style.zIndex = min > 127 ? '2' : '1';
    this.range.textContent = `${min} – ${max}`;
    this.gamma.value = String((100 * Math.log(gamma)) / Math.log(5));
    this.gamma.setAttribute('aria-valuetext', String(gamma));
    this.gammaText.textContent = gamma.toFixed(2);
    this.colour.value = contrast.colour;
    this.invert.checked = contrast.invert;
    // A closed panel does not hide that contrast is set.
    this.button.classList.toggle('nn-set', !isPlain(contrast));
    this.element.style.setProperty('--from', String(min / 255));
    this.element.style.setProperty('--to', String(max / 255));
    this.drawStrip();
  }

  /** Counts again how often each grey level is in view, where the panel is open. */
  count(): void {
    const counts = this.element.hidden ? null : this.levels();
    if (!counts) return;
    this.counts = counts as Uint32Array<ArrayBuffer>;
    this.counted.setAttribute('d', histogramPath(counts, HEIGHT));
  }

  private set(change: Partial<Contrast>): void {
    this.changed({ ...this.contrast, ...change });
  }

  private levelsField(): HTMLElement {
    const box = document.createElement('div');
    box.className = 'nn-levels';
    const picture = document.createElementNS(SVG, 'svg');
    picture.setAttribute('viewBox', `0 0 256 ${HEIGHT}`);
    picture.setAttribute('preserveAspectRatio', 'none');
    picture.setAttribute('aria-hidden', 'true');
    picture.append(this.counted);
    this.strip.className = 'nn-strip';
    this.strip.width = 256;
    this.strip.height = 1;
    this.strip.setAttribute('aria-hidden', 'true');
    const plot = document.createElement('div');
    plot.className = 'nn-histogram nn-two';
    plot.append(picture, this.strip, this.min, this.max);
    const heading = document.createElement('div');
    heading.className = 'nn-field-name';
    heading.append(textElement('span', 'Grey levels in view', 'nn-label'), this.range);
    box.append(heading, plot);
    return box;
  }

  private gammaField(): HTMLElement {
    const label = document.createElement('label');
    label.className = 'nn-field';
    const heading = document.createElement('span');
    heading.className = 'nn-field-name';
    heading.append(textElement('span', 'Gamma', 'nn-label'), this.gammaText);
    label.append(heading, this.gamma);
    return label;
  }

  private colourField(): HTMLElement {
    const field = document.createElement('div');
    field.className = 'nn-field';
    const label = document.createElement('label');
    label.className = 'nn-field-name';
    this.colour.className = 'nn-control';
    for (const name of COLOUR_MAPS) this.colour.append(new Option(NAMES[name], name));
    label.append(textElement('span', 'Colours', 'nn-label'), this.colour);
    const tick = document.createElement('label');
    tick.className = 'nn-tick';
    this.invert.type = 'checkbox';
    tick.append(this.invert, textElement('span', 'Invert'));
    field.append(label, tick);
    return field;
  }

  private buttons(): HTMLElement {
    const box = document.createElement('div');
    box.className = 'nn-contrast-buttons';
    const auto = textButton('Auto', () => {
      this.set(autoRange(this.counts));
    });
    const reset = textButton('Reset', () => {
      this.changed(PLAIN);
    });
    auto.title = 'Fit black and white to what is in view';
    reset.title = 'Show grey levels as they are';
    box.append(auto, reset);
    return box;
  }

  /** What each grey level is shown as. */
  private drawStrip(): void {
    const context = this.strip.getContext('2d');
    if (!context) return;
    const table = contrastTable(this.contrast);
    const pixels = new ImageData(256, 1);
    for (let grey = 0; grey < 256; grey++) {
      pixels.data.set([...table.subarray(3 * grey, 3 * grey + 3), 255], 4 * grey);
    }
    context.putImageData(pixels, 0, 0);
  }
}

function slider(name: string, least: number, most: number, step: number): HTMLInputElement {
  const element = document.createElement('input');
  element.type = 'range';
  element.min = String(least);
  element.max = String(most);
  element.step = String(step);
  element.setAttribute('aria-label', name);
  return element;
}
