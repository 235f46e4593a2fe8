import { settle, stateOf, type Kinds, type Shared, type State } from './address';
import { followTheme } from './appearance';
import baseCss from './base.css';
import { againButton, figureOf, textElement } from './elements';
import type { Around } from './goto';
import { keepKeys } from './host';
import { stateOfLayer } from './layers';
import { numberTrait, onTrait, textTrait, type Model } from './model';
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
  /** The layer whose data are shown, and what readers call it; null where layers are not named. */
  protected readonly layer: string | null;
  private readonly layerLabel: string | null;
  /** The state with what is chosen in other layers. */
  private readonly page: State<Shared>;
  private leading: HTMLElement | null = null;
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
    this.layer = textTrait(model, 'layer');
    this.layerLabel = textTrait(model, 'layerLabel');
    const page = stateOf(model, state, signal);
    this.page = page;
    this.state = this.layer === null ? page : stateOfLayer(page, this.layer);
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

  /** Shows that there is nothing to show. */
  none(text: string): void {
    this.showMessage('empty', text);
  }

  /** Puts an element first in the view's bar: above the message as long as there is no bar. */
  lead(element: HTMLElement): void {
    this.leading = element;
    this.placeLeading();
  }

  destroy(): void {
    // Chromium keeps radio buttons of a name, and with them all of the view, as long as the shadow root lives.
    for (const radio of this.root.querySelectorAll<HTMLInputElement>('input[type="radio"]')) radio.name = '';
    this.root.remove();
    this.style.remove();
  }

  /** Whether the state is in the page's address, where the other views of the page see it too. */
  protected get linked(): boolean {
    return this.model.get('address') !== false;
  }

  /** The address that shows what this view shows now, at its figure. */
  protected link(): string {
    settle();
    const link = new URL(location.href);
    link.search = this.state.query();
    link.hash = figureOf(this.root)?.id ?? link.hash;
    return link.href;
  }

  /** Takes what leads the bar into it, once there is one; the focus stays where it is. */
  protected placeLeading(): void {
    const { leading, root } = this;
    if (!leading) return;
    const { activeElement } = root.getRootNode() as ShadowRoot | Document;
    (root.querySelector(':scope > .nn-toolbar') ?? root).prepend(leading);
    if (activeElement instanceof HTMLElement && leading.contains(activeElement)) activeElement.focus({ preventScroll: true });
  }

  /** What is said of the data below a view: a layer's label says it already. */
  protected captionNote(note: string): string {
    return this.layer === null ? note : '';
  }

  /** What is said of the data in a picture that leaves the page. */
  protected pictureNote(note: string): string {
    return this.layer === null ? note : `${this.layerLabel ?? 'Own'} data`;
  }

  /** What is chosen in another layer; null where nothing is. */
  protected chosenElsewhere(): { panorama: string; layer: string } | null {
    const [panorama, layer] = [this.page.get('panorama'), this.page.get('layer')];
    return this.layer === null || panorama === null || layer === null || layer === this.layer ? null : { panorama, layer };
  }

  protected get around(): Around {
    return { viewer: textTrait(this.model, 'viewer'), linked: this.linked, layer: this.layer };
  }

  /** Called whenever the colours of the page have changed, and once before the view is built. */
  protected themeChanged(): void {
    // Style sheets follow by themselves.
  }

  protected showMessage(state: 'loading' | 'empty' | 'error', text: string, ...more: HTMLElement[]): void {
    this.root.dataset.state = state;
    this.setMessage(textElement('p', text), ...more);
    this.message.hidden = false;
  }

  /** Takes the message away: the view shows what it is for. */
  protected showReady(): void {
    this.root.dataset.state = 'ready';
    this.setMessage();
    this.message.hidden = true;
  }

  /** A button of the message that is gone leaves the focus to the view. */
  private setMessage(...nodes: HTMLElement[]): void {
    const { message, root } = this;
    const { activeElement } = root.getRootNode() as ShadowRoot | Document;
    const focused = activeElement !== null && message.contains(activeElement);
    message.replaceChildren(...nodes);
    if (!focused) return;
    root.tabIndex = -1;
    root.addEventListener(
      'blur',
      () => {
        root.removeAttribute('tabindex');
      },
      { once: true },
    );
    root.focus({ preventScroll: true });
  }
}
