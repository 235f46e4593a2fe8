import type { Facts } from '../cells/table';
import { textButton, textElement } from '../shared/elements';
import type { Around } from '../shared/goto';
import type { ListedPanorama } from '../shared/panoramalist';
import { whereShown } from '../shared/where';
import type { NucleusPicture } from './picture';

/** The chosen nucleus: its image, its measurements, and where it is. */
export class Details {
  readonly element = document.createElement('div');
  private readonly name = textElement('strong', '');
  private readonly facts = textElement('span', '', 'nn-values');
  private readonly remark = textElement('span', '', 'nn-remark');
  private readonly actions = textElement('span', '', 'nn-actions');

  constructor(
    private readonly around: Around,
    private readonly picture: NucleusPicture,
    close: () => void,
  ) {
    const { element } = this;
    element.className = 'nn-details';
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'Chosen nucleus');
    const text = textElement('div', '', 'nn-text');
    text.append(this.name, this.facts, this.remark, this.actions);
    element.append(picture.element, text, textButton('Clear choice', close, 'nn-quiet'));
    this.hide();
  }

  /** Where the chosen nucleus is shown, in words. */
  get summary(): string {
    return this.remark.textContent;
  }

  hide(): void {
    this.element.hidden = true;
    this.picture.show(null);
  }

  /** Shows a cell by its facts, which are words each; `shown` is what there is of its panorama. */
  show(cell: number, { cell: name, panorama, roi }: Facts, facts: string[], shown: ListedPanorama | null | undefined): void {
    this.element.hidden = false;
    this.picture.show(cell);
    this.name.textContent = name ?? 'Nucleus';
    this.facts.textContent = facts.join(' · ');
    this.actions.replaceChildren();
    this.remark.replaceChildren();
    if (panorama === null) return;
    const { words, go } = whereShown(this.around, panorama, roi, shown);
    this.remark.replaceChildren(...words);
    if (go) this.actions.append(go);
  }
}
