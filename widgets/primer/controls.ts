import { textElement } from '../shared/elements';

export interface Slider {
  readonly element: HTMLElement;
  value: number;
}

let count = 0;

function labelled(name: string, control: HTMLElement, className: string): HTMLElement {
  const id = `nn-primer-${(count += 1)}`;
  control.id = id;
  const label = document.createElement('label');
  label.htmlFor = id;
  label.textContent = name;
  label.className = 'nn-label';
  const element = textElement('div', '', className);
  element.append(label, control);
  return element;
}

/** A slider with its value in words, which is read out as well. */
export function slider(
  name: string,
  { min, max, step = 1, value, words = String }: { min: number; max: number; step?: number; value: number; words?: (value: number) => string },
  changed: (value: number) => void,
): Slider {
  const input = document.createElement('input');
  input.type = 'range';
  input.min = String(min);
  input.max = String(max);
  input.step = String(step);
  const element = labelled(name, input, 'nn-slider');
  const output = textElement('span', '', 'nn-value');
  output.setAttribute('aria-hidden', 'true');
  element.append(output);
  const say = () => {
    output.textContent = words(input.valueAsNumber);
    input.setAttribute('aria-valuetext', words(input.valueAsNumber));
  };
  input.addEventListener('input', () => {
    say();
    changed(input.valueAsNumber);
  });
  input.value = String(value);
  say();
  return {
    element,
    get value() {
      return input.valueAsNumber;
    },
    set value(set: number) {
      input.value = String(set);
      say();
    },
  };
}

export function select<T extends string>(name: string, options: readonly { value: T; text: string }[], changed: (value: T) => void): HTMLSelectElement & { readonly row: HTMLElement } {
  const element = document.createElement('select');
  element.className = 'nn-control';
  element.append(...options.map(({ value, text }) => new Option(text, value)));
  element.addEventListener('change', () => {
    changed(element.value as T);
  });
  return Object.assign(element, { row: labelled(name, element, 'nn-field') });
}

export function checkbox(name: string, checked: boolean, changed: (checked: boolean) => void): HTMLElement & { readonly box: HTMLInputElement } {
  const input = document.createElement('input');
  input.type = 'checkbox';
  input.checked = checked;
  input.addEventListener('change', () => {
    changed(input.checked);
  });
  const label = document.createElement('label');
  label.className = 'nn-check';
  label.append(input, textElement('span', name));
  return Object.assign(label, { box: input });
}

/** Controls in a row, or several where there is no room. */
export function row(...controls: HTMLElement[]): HTMLElement {
  const element = textElement('div', '', 'nn-controls');
  element.append(...controls);
  return element;
}

/** Pictures and plots side by side, as far as there is room. */
export function panels(...parts: HTMLElement[]): HTMLElement {
  const element = textElement('div', '', 'nn-panels');
  element.append(...parts);
  return element;
}
