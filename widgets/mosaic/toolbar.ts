import { Choices } from '../shared/choices';
import { controlGroup } from '../shared/elements';

const BRIGHTNESS = [
  { value: 'measured', text: 'As measured' },
  { value: 'normalised', text: 'Normalised by run' },
] as const;

/** The row over the mosaic: whether brightness is normalised. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly choices: Choices<'measured' | 'normalised'>;

  constructor(hasNormalised: boolean, setNormalised: (normalised: boolean) => void) {
    const { element } = this;
    this.choices = new Choices(BRIGHTNESS, (value) => {
      setNormalised(value === 'normalised');
    });
    element.className = 'nn-toolbar';
    const fieldset = controlGroup('Brightness', 'nn-brightness', this.choices.element);
    fieldset.disabled = !hasNormalised;
    element.append(fieldset);
  }

  show(normalised: boolean): void {
    this.choices.show(normalised ? 'normalised' : 'measured');
  }
}
