import { Choices } from '../shared/choices';
import { textElement } from '../shared/elements';

const BRIGHTNESS = [
  { value: 'measured', text: 'As measured' },
  { value: 'normalised', text: 'Normalised by run' },
] as const;

/** The row over the mosaic: whether brightness is normalised, and the button that opens the contrast. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly choices: Choices<'measured' | 'normalised'>;

  constructor(hasNormalised: boolean, contrast: HTMLElement, setNormalised: (normalised: boolean) => void) {
    const { element } = this;
    this.choices = new Choices(BRIGHTNESS, (value) => {
      setNormalised(value === 'normalised');
    });
    element.className = 'nn-toolbar';
    const fieldset = document.createElement('fieldset');
    fieldset.className = 'nn-fieldset nn-brightness';
    fieldset.disabled = !hasNormalised;
    fieldset.append(textElement('legend', 'Brightness', 'nn-label'), this.choices.element);
    element.append(fieldset, contrast);
  }

  show(normalised: boolean): void {
    this.choices.show(normalised ? 'normalised' : 'measured');
  }
}
