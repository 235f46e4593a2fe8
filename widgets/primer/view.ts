import { SHARED, type Shared } from '../shared/address';
import { Announcer } from '../shared/announcer';
import { BaseView } from '../shared/baseview';
import { textElement } from '../shared/elements';
import type { Model } from '../shared/model';
import css from './style.css';

/** What a figure has of its view. */
export interface Stage {
  /** Puts the figure's parts below one another. */
  show: (...parts: HTMLElement[]) => void;
  /** Says in a line below the figure what is seen now; screen readers hear it once it rests. */
  say: (text: string) => void;
  signal: AbortSignal;
}

/** A live figure of the primer. */
export class PrimerView extends BaseView<Shared> {
  private readonly announcer: Announcer;
  private readonly reading = textElement('p', '', 'nn-reading');

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-primer', css, state: SHARED, loading: 'Loading the figure …' }, model, host, signal);
    this.announcer = new Announcer(signal);
    this.root.append(this.announcer.element);
  }

  open(build: (stage: Stage) => void): void {
    const { announcer, reading, root, signal } = this;
    const body = textElement('div', '', 'nn-body');
    let shown = false;
    build({
      show: (...parts) => {
        body.append(...parts, reading);
      },
      say: (text) => {
        reading.textContent = text;
        if (shown) announcer.announce(text);
      },
      signal,
    });
    root.append(body);
    shown = true;
    this.showReady();
  }
}
