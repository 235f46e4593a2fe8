import { withParameters } from '../shared/address';
import { textElement } from '../shared/elements';
import { viewsOf } from '../shared/linking';
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

  /**
   * `viewer` is the address of a page or a figure with a panorama viewer; `linked` says whether views of this page
   * follow the choice.
   */
  constructor(
    private readonly where: { viewer: string | null; linked: boolean },
    close: () => void,
    signal: AbortSignal,
  ) {
    this.preview = new Preview(signal);
    this.element.className = 'nn-details';
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'Chosen panorama');
    const text = textElement('div', '', 'nn-text');
    const closing = document.createElement('button');
    closing.type = 'button';
    closing.className = 'nn-quiet';
    closing.textContent = 'Clear choice';
    closing.addEventListener('click', close);
    text.append(this.name, this.facts, this.remark, this.actions);
    this.element.append(this.preview.element, text, closing);
    this.show(null);
  }

  /** Where the chosen panorama is shown, in words. */
  get told(): string {
    return this.remark.textContent;
  }

  show(panorama: Panorama | null): void {
    this.element.hidden = panorama === null;
    this.actions.replaceChildren();
    if (!panorama) {
      this.preview.show(null);
      return;
    }
    const view = this.where.linked ? viewsOf(panorama.name)[0] : undefined;
    const address = this.linkTo(panorama);
    // A viewer further down the page is loaded only when it nears the window, and then shows what was chosen.
    const below = address !== null && isHere(address) && this.where.linked && (panorama.pyramid || panorama.preview !== null);
    const link = below || panorama.pyramid ? address : null;
    const here = view !== undefined || below;
    this.name.textContent = panorama.name;
    this.facts.textContent = factsOf(panorama).join(' · ');
    this.element.classList.toggle('nn-large', !here);
    this.preview.show(panorama);
    this.remark.textContent = here
      ? 'The panorama viewer on this page shows it.'
      : panorama.preview === null
        ? 'This edition has no image of it.'
        : panorama.pyramid
          ? ''
          : 'A reduced image; this panorama has no tiles to zoom into.';
    if (view) this.actions.append(goButton(view));
    else if (link !== null) this.actions.append(linkElement(link));
  }

  private linkTo({ name }: Panorama): string | null {
    const { viewer } = this.where;
    if (viewer === null || !URL.canParse(viewer, document.baseURI)) return null;
    const address = new URL(viewer, document.baseURI);
    if (!/^https?:$/.test(address.protocol)) return null;
    address.search = withParameters(isHere(address.href) ? location.search : address.search, [
      ['panorama', name],
      ['roi', null],
    ]);
    return address.href;
  }
}

function isHere(address: string): boolean {
  const { origin, pathname, hash } = new URL(address);
  const target = hash === '' ? null : document.getElementById(decodeURIComponent(hash.slice(1)));
  return origin === location.origin && pathname === location.pathname && target !== null;
}

function linkElement(address: string): HTMLElement {
  const link = document.createElement('a');
  // On this page only the jump is left to do: the address says already what was chosen.
  link.href = isHere(address) ? new URL(address).hash : address;
  link.textContent = isHere(address) ? 'Go to the viewer' : 'Open it in the panorama viewer';
  return link;
}

function goButton(view: Element): HTMLElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Go to the viewer';
  button.addEventListener('click', () => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    view.scrollIntoView({ block: 'center', behavior: calm ? 'instant' : 'smooth' });
    const inside = (view.shadowRoot ?? view).querySelector<HTMLElement>('[role="application"], select, button');
    inside?.focus({ preventScroll: true });
  });
  return button;
}
