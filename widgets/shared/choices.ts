import { textElement } from './elements';

/** One of several words, as radio buttons side by side; a `name` is read out in place of a short text. */
export class Choices<T extends string> {
  readonly element = document.createElement('div');
  private readonly radios = new Map<T, HTMLInputElement>();

  constructor(choices: readonly { value: T; text: string; name?: string }[], changed: (value: T) => void) {
    this.element.className = 'nn-choices';
    // The name keeps the radio buttons of two widgets on one page apart.
    const group = `nn-choices-${crypto.getRandomValues(new Uint32Array(1)).join('')}`;
    for (const { value, text, name: fullName } of choices) {
      const label = document.createElement('label');
      const radio = document.createElement('input');
      radio.type = 'radio';
      radio.name = group;
      radio.value = value;
      if (fullName !== undefined) radio.setAttribute('aria-label', fullName);
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
