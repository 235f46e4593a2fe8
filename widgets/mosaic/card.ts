import { copyLink } from '../shared/copylink';
import { iconButton, textElement } from '../shared/elements';
import type { Where } from '../shared/where';

export interface CardEvents {
  step(step: 1 | -1): void;
  zoomTo(): void;
  close(): void;
  /** The address that shows this cell; null where the view has none of its own. */
  link: (() => string) | null;
}

/** The chosen cell: its name, what is known of it, and where its nucleus is shown. */
export class Card {
  readonly element = document.createElement('section');
  private readonly heading = textElement('h3', '', 'nn-card-name');
  private readonly facts = textElement('p', '', 'nn-facts');
  private readonly where = textElement('p', '', 'nn-note');
  private readonly go = document.createElement('span');
  private readonly copied = textElement('p', '', 'nn-copied');

  constructor(events: CardEvents) {
    const { element } = this;
    element.className = 'nn-card';
    element.hidden = true;
    element.setAttribute('aria-label', 'Chosen cell');
    this.heading.tabIndex = -1;
    this.copied.setAttribute('role', 'status');
    const head = document.createElement('div');
    head.className = 'nn-card-head';
    head.append(
      this.heading,
      iconButton('Previous cell', 'M15 5l-7 7 7 7', () => {
        events.step(-1);
      }),
      iconButton('Next cell', 'M9 5l7 7-7 7', () => {
        events.step(1);
      }),
      iconButton('Close', 'M6 6l12 12M18 6L6 18', () => {
        events.close();
      }),
    );
    const actions = document.createElement('div');
    actions.className = 'nn-card-actions';
    const action = (name: string, act: () => void) => {
      const button = textElement('button', name, 'nn-button') as HTMLButtonElement;
      button.type = 'button';
      button.addEventListener('click', act);
      actions.append(button);
    };
    actions.append(this.go);
    action('Zoom to it', () => {
      events.zoomTo();
    });
    const { link } = events;
    if (link) action('Copy link', () => void copyLink(link(), this.copied, 'Link to this cell'));
    element.append(head, this.facts, this.where, actions, this.copied);
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      events.close();
    });
  }

  show(name: string, facts: string, { words, go }: Where): void {
    this.element.hidden = false;
    this.heading.textContent = name;
    this.facts.textContent = facts;
    this.where.textContent = words;
    this.go.replaceChildren(...(go ? [go] : []));
    this.copied.replaceChildren();
  }

  hide(): void {
    this.element.hidden = true;
  }
}
