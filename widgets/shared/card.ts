import { copyLink } from './copylink';
import { iconButton, textButton, textElement } from './elements';

export interface CardEvents {
  /** To the next or the previous one. */
  step(step: 1 | -1): void;
  close(): void;
}

/** The card of what is chosen: its name, with buttons to its neighbours, above what a view shows of it. */
export abstract class BaseCard {
  readonly element = document.createElement('section');
  protected readonly heading = textElement('h3', '', 'nn-card-name');
  protected readonly stepping: HTMLButtonElement[];

  constructor(noun: 'cell' | 'nucleus', events: CardEvents) {
    const { element, heading } = this;
    element.className = 'nn-card';
    element.hidden = true;
    element.setAttribute('aria-label', `Chosen ${noun}`);
    heading.tabIndex = -1;
    const step = (name: string, icon: string, by: 1 | -1) =>
      iconButton(name, icon, () => {
        events.step(by);
      });
    this.stepping = [step(`Previous ${noun}`, 'M15 5l-7 7 7 7', -1), step(`Next ${noun}`, 'M9 5l7 7-7 7', 1)];
    const close = iconButton('Close', 'M6 6l12 12M18 6L6 18', () => {
      events.close();
    });
    const head = textElement('div', '', 'nn-card-head');
    head.append(heading, ...this.stepping, close);
    element.append(head);
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      events.close();
    });
  }

  hide(): void {
    this.element.hidden = true;
  }

  focus(): void {
    this.heading.focus();
  }
}

export interface ZoomCardEvents extends CardEvents {
  zoomTo(): void;
  /** The address that shows what is chosen; null where the view has none of its own. */
  link: (() => string) | null;
}

/** The buttons on a card beside an image: to zoom to what is chosen, and to copy a link to it. */
export class ZoomActions {
  readonly element = textElement('div', '', 'nn-card-actions');
  /** The message that the link was copied. */
  readonly copied = textElement('p', '', 'nn-copied');

  constructor(noun: 'cell' | 'nucleus', { zoomTo, link }: Pick<ZoomCardEvents, 'zoomTo' | 'link'>) {
    const { element, copied } = this;
    copied.setAttribute('role', 'status');
    element.append(textButton('Zoom to it', zoomTo));
    if (link) element.append(textButton('Copy link', () => void copyLink(link(), copied, `Link to this ${noun}`)));
  }
}

/** Shows facts by their names in a `dl`; those without a value are left out. */
export function showFacts(list: HTMLElement, facts: [name: string, value: string | null][]): void {
  list.replaceChildren(
    ...facts.flatMap(([name, value]) => (value === null ? [] : [textElement('dt', name), textElement('dd', value)])),
  );
}
