import { stateOf, type Kinds, type Shared, type State } from './address';
import { followTheme } from './appearance';
import baseCss from './base.css';
import { againButton, textElement } from './elements';
import { keepKeys } from './host';
import { numberTrait, onTrait, type Model } from './model';
import type { Problem } from './problem';

/** What distinguishes one kind of view from the others. */
export interface ViewKind<Values> {
  /** Classes of the root, besides those of every view. */
  className: string;
  css: string;
  state: Kinds<Values>;
  /** The message until there is something to show. */
  loading: string;
}

/**
 * What all views have in common: a root in the host, in the theme of the page and as high as the model says, a state, and
 * a message as long as there is nothing to show.
 *
 * The root's `data-state` is `loading`, `ready`, `empty` or `error`.
 */
export abstract class BaseView<Values extends Shared> {
  readonly root = document.createElement('div');
  protected readonly message = textElement('div', '', 'nn-message');
  protected readonly state: State<Values>;
  private readonly style = document.createElement('style');

  constructor(
    { className, css, state, loading }: ViewKind<Values>,
    protected readonly model: Model,
    host: HTMLElement,
    protected readonly signal: AbortSignal,
  ) {
    this.style.textContent = baseCss + css;
    this.root.className = `nn-view ${className}`;
    if (!this.linked) keepKeys(this.root);
    this.message.setAttribute('role', 'status');
    this.state = stateOf(model, state, signal);
    followTheme(this.root, signal, () => {
      this.themeChanged();
    });
    const setHeight = () => {
      const height = numberTrait(model, 'height');
      if (height === null) this.root.style.removeProperty('--height');
      else this.root.style.setProperty('--height', `${height}px`);
    };
    setHeight();
    onTrait(model, 'height', setHeight, signal);
    this.showMessage('loading', loading);
    this.root.append(this.message);
    host.append(this.style, this.root);
  }

  /** Shows what went wrong, and lets the reader try again. */
  fail(problem: Problem, retry: () => void): void {
    const again = againButton(() => {
      this.showMessage('loading', 'Loading …');
      retry();
    });
    this.showMessage('error', problem.message, again);
  }

  destroy(): void {
    this.root.remove();
    this.style.remove();
  }

  /** Whether the state is in the page's address, where the other views of the page see it too. */
  protected get linked(): boolean {
    return this.model.get('address') !== false;
  }

  /** Called whenever the colours of the page have changed, and once before the view is built. */
  protected themeChanged(): void {
    // Style sheets follow by themselves.
  }

  protected showMessage(state: 'loading' | 'empty' | 'error', text: string, ...more: HTMLElement[]): void {
    this.root.dataset.state = state;
    this.message.replaceChildren(textElement('p', text), ...more);
    this.message.hidden = false;
  }

  /** Takes the message away: the view shows what it is for. */
  protected showReady(): void {
    this.root.dataset.state = 'ready';
    this.message.replaceChildren();
    this.message.hidden = true;
  }
}
