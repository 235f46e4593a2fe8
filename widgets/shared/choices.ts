import { textElement } from './elements';

/** One of several words, as radio buttons side by side. */
export class Choices<T extends string> {
  readonly element = document.createElement('div');
  private readonly radios = new Map<T, HTMLInputElement>();

  constructor(choices: readonly { value: T; text: string }[], changed: (value: T) => void) {
    this.element.className = 'nn-choices';
    // The name keeps the radio buttons of two widgets on one page apart.
    const name = `nn-choices-${crypto.getRandomValues(new Uint32Array(1)).join('')}`;
    for (const { value, text } of choices) {
      const label = document.createElement('label');
      const radio = document.createElement('input');
      radio.type = 'radio';
      radio.name = name;
      radio.value = value;
      radio.addEventListener('change', () => {
        changed(value);
      });
      this.radios.set(value, radio);
      label.append(radio, textElement('span', text));
      this.element.append(label);
    }
  }

  show(value: T): void {
    const radio = this.radios.get(value);
    if (radio) radio.checked = true;
  }
}
