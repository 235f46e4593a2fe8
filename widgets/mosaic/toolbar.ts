import { Choices } from '../shared/choices';
import { textElement } from '../shared/elements';

const BRIGHTNESS = [
  { value: 'measured', text: 'As measured' },
  { value: 'normalised', text: 'Normalised by run' },
] as const;

/** The row over the mosaic: whether brightness is normalised, and whether contrast can be set. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly choices: Choices<'measured' | 'normalised'>;
  private readonly contrast = textElement('button', 'Contrast', 'nn-button nn-contrast-button') as HTMLButtonElement;

  constructor(hasNormalised: boolean, events: { normalised(normalised: boolean): void; contrast(open: boolean): void }) {
    const { element, contrast } = this;
    this.choices = new Choices(BRIGHTNESS, (value) => {
      events.normalised(value === 'normalised');
    });
    element.className = 'nn-toolbar';
    const fieldset = document.createElement('fieldset');
    fieldset.className = 'nn-brightness';
    fieldset.disabled = !hasNormalised;
    fieldset.append(textElement('legend', 'Brightness', 'nn-label'), this.choices.element);
    contrast.type = 'button';
    contrast.setAttribute('aria-expanded', 'false');
    contrast.addEventListener('click', () => {
      const open = contrast.getAttribute('aria-expanded') !== 'true';
      contrast.setAttribute('aria-expanded', String(open));
      events.contrast(open);
    });
    element.append(fieldset, contrast);
  }

  show(normalised: boolean, plainContrast: boolean): void {
    this.choices.show(normalised ? 'normalised' : 'measured');
    // A closed panel does not hide that contrast is set.
    this.contrast.classList.toggle('nn-set', !plainContrast);
  }
}
