import { BaseCard, ZoomActions, type ZoomCardEvents } from '../shared/card';
import { textElement } from '../shared/elements';
import type { Where } from '../shared/where';

/** The chosen cell: its name, what is known of it, and where its nucleus is shown. */
export class Card extends BaseCard {
  private readonly facts = textElement('p', '', 'nn-facts');
  private readonly where = textElement('p', '', 'nn-note');
  private readonly go = document.createElement('span');
  private readonly actions: ZoomActions;

  constructor(events: ZoomCardEvents) {
    super('cell', events);
    this.actions = new ZoomActions('cell', events);
    this.actions.element.prepend(this.go);
    this.element.append(this.facts, this.where, this.actions.element, this.actions.copied);
  }

  show(name: string, facts: string, { words, go }: Where): void {
    this.element.hidden = false;
    this.heading.textContent = name;
    this.facts.textContent = facts;
    this.where.replaceChildren(...words);
    this.go.replaceChildren(...(go ? [go] : []));
    this.actions.copied.replaceChildren();
  }
}
