import { textButton, textElement } from '../shared/elements';
import { isHere, viewerAddress, viewerButton, viewerLink, type Around } from '../shared/goto';
import { viewsOf } from '../shared/linking';
import { noImage } from '../shared/where';
import type { Panorama } from './collection';
import { factsOf, Preview } from './facts';

/** The chosen panorama: where it is shown, or a large preview where no viewer on the page can. */
export class Details {
  readonly element = document.createElement('div');
  private readonly preview: Preview;
  private readonly name = textElement('strong', '');
  private readonly facts = textElement('span', '', 'nn-values');
  private readonly remark = textElement('span', '', 'nn-remark');
  private readonly actions = textElement('span', '', 'nn-actions');

  constructor(
    private readonly where: Around,
    close: () => void,
    signal: AbortSignal,
  ) {
    this.preview = new Preview(signal);
    this.element.className = 'nn-details';
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'Chosen panorama');
    const text = textElement('div', '', 'nn-text');
    const closing = textButton('Clear choice', close, 'nn-quiet');
    text.append(this.name, this.facts, this.remark, this.actions);
    this.element.append(this.preview.element, text, closing);
    this.show(null);
  }

  /** Where the chosen panorama is shown, in words. */
  get summary(): string {
    return this.remark.textContent;
  }

  show(panorama: Panorama | null): void {
    this.element.hidden = panorama === null;
    this.actions.replaceChildren();
    if (!panorama) {
      this.preview.show(null);
      return;
    }
    const view = this.where.linked ? viewsOf(panorama.name, this.where.layer)[0] : undefined;
    const address = viewerAddress(this.where, panorama.name, null);
    // A viewer further down the page is loaded only when it nears the window, and then shows what was chosen.
    const below = address !== null && isHere(address) && this.where.linked && (panorama.pyramid || panorama.preview !== null);
    const link = below || panorama.pyramid ? address : null;
    const here = view !== undefined || below;
    this.name.textContent = panorama.name;
    this.facts.textContent = factsOf(panorama).join(' · ');
    this.element.classList.toggle('nn-large', !here);
    this.preview.show(panorama);
    const words = here
      ? ['The panorama viewer on this page shows it.']
      : panorama.preview === null
        ? noImage(this.where.layer, panorama.rank)
        : panorama.pyramid
          ? []
          : ['A reduced image; this panorama has no tiles to zoom into.'];
    this.remark.replaceChildren(...words);
    if (view) this.actions.append(viewerButton(view));
    else if (link !== null) this.actions.append(viewerLink(link));
  }
}
