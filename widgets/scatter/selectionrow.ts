import { textButton, textElement } from '../shared/elements';

/** How much is selected in the plane, with buttons that save it and drop it; nothing while nothing is. */
export class SelectionRow {
  readonly element = textElement('div', '', 'nn-selection');
  private readonly counted = textElement('span', '', 'nn-counted');
  private readonly saving: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;

  constructor(save: () => void | Promise<void>, clear: () => void) {
    this.counted.setAttribute('role', 'status');
    this.saving = textButton('Save as CSV', () => {
      this.saving.disabled = true;
      void Promise.resolve(save()).finally(() => {
        this.saving.disabled = false;
      });
    }, 'nn-button nn-quiet');
    this.clear = textButton('Clear selection', clear, 'nn-button nn-quiet');
    this.element.append(this.counted, this.saving, this.clear);
  }

  /** Says how much is selected; null where nothing was. */
  show(text: string | null, count: number): void {
    this.element.classList.toggle('nn-none', text === null);
    this.saving.hidden = this.clear.hidden = text === null;
    this.saving.disabled = count === 0;
    this.counted.textContent = text ?? '';
  }
}
