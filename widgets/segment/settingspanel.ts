import { textButton, textElement } from '../shared/elements';
import { USUAL } from './segmentstate';
import type { Settings } from './protocol';

/** Sets diameter, thresholds and scale. */
export class SettingsPanel {
  readonly element = document.createElement('div');
  private readonly diameter = number('auto', 1, 100_000, 'Diameter of a nucleus in pixels; empty to look for it');
  private readonly scale = number('unknown', 0.0001, 100_000, 'Pixels a micrometre');
  private readonly flow = slider('Flow threshold', 0, 3, 0.05);
  private readonly flowText = textElement('output', '', 'nn-value');
  private readonly cellprob = slider('Cell probability threshold', -6, 6, 0.1);
  private readonly cellprobText = textElement('output', '', 'nn-value');

  constructor(private readonly events: { diameter(diameter: number | null): void; thresholds(change: Partial<Settings>): void; scale(scale: number | null): void }) {
    const { cellprob, cellprobText, diameter, element, flow, flowText, scale } = this;
    element.className = 'nn-settings';
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'How to segment');
    diameter.addEventListener('change', () => {
      events.diameter(valueOf(diameter));
    });
    scale.addEventListener('change', () => {
      events.scale(valueOf(scale));
    });
    flow.addEventListener('input', () => {
      events.thresholds({ flow: Number(flow.value) });
    });
    cellprob.addEventListener('input', () => {
      events.thresholds({ cellprob: Number(cellprob.value) });
    });
    const reset = textButton('Reset', () => {
      this.events.thresholds(USUAL);
    });
    reset.title = 'Take the published thresholds';
    reset.classList.add('nn-threshold');
    element.append(
      field('Diameter', 'px', diameter),
      rangeField('Flow threshold', flow, flowText),
      rangeField('Cell probability', cellprob, cellprobText),
      reset,
      field('Scale', 'px / µm', scale),
    );
  }

  show(settings: Settings, found: number | null, scale: number | null): void {
    this.diameter.value = settings.diameter === null ? '' : String(settings.diameter);
    this.diameter.placeholder = found === null || found === 0 ? 'auto' : `auto: ${found.toFixed(1)}`;
    this.scale.value = scale === null ? '' : String(Number(scale.toPrecision(6)));
    this.flow.value = String(settings.flow);
    this.flowText.textContent = settings.flow === 0 ? 'off' : settings.flow.toFixed(2);
    this.cellprob.value = String(settings.cellprob);
    this.cellprobText.textContent = settings.cellprob.toFixed(1).replace('-', '−');
  }
}

function number(placeholder: string, least: number, most: number, name: string): HTMLInputElement {
  const input = document.createElement('input');
  input.type = 'number';
  input.className = 'nn-control';
  input.placeholder = placeholder;
  input.min = String(least);
  input.max = String(most);
  input.step = 'any';
  input.setAttribute('aria-label', name);
  return input;
}

/** What a field holds; null where it is empty or out of range. */
function valueOf(input: HTMLInputElement): number | null {
  const value = input.valueAsNumber;
  return Number.isFinite(value) && value >= Number(input.min) && value <= Number(input.max) ? value : null;
}

export function slider(name: string, least: number, most: number, step: number): HTMLInputElement {
  const input = document.createElement('input');
  input.type = 'range';
  input.min = String(least);
  input.max = String(most);
  input.step = String(step);
  input.setAttribute('aria-label', name);
  return input;
}

function field(name: string, unit: string, input: HTMLElement): HTMLElement {
  const label = document.createElement('label');
  label.className = 'nn-setting';
  label.append(textElement('span', name, 'nn-label'), input, textElement('span', unit, 'nn-label'));
  return label;
}

export function rangeField(name: string, input: HTMLElement, text: HTMLElement): HTMLElement {
  const label = document.createElement('label');
  label.className = 'nn-setting nn-threshold';
  label.append(textElement('span', name, 'nn-label'), input, text);
  return label;
}
