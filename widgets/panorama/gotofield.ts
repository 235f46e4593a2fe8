import { textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import { choiceText } from './facts';
import { destinations, Finder, type Destination } from './finding';
import type { Panorama } from './panoramas';

const MOST = 12;

/** One field that leads to a panorama by its name, to a nucleus by its number, and to a place by its coordinates. */
export class GoToField {
  readonly element = document.createElement('div');
  private readonly input = document.createElement('input');
  private readonly list = textElement('ul', '', 'nn-found');
  private finder = new Finder([]);
  private open: Panorama | null = null;
  private found: Destination[] = [];
  private active = -1;

  constructor(private readonly go: (destination: Destination) => void) {
    const { element, input, list } = this;
    const id = `nn-found-${crypto.getRandomValues(new Uint32Array(1)).join('')}`;
    element.className = 'nn-goto';
    list.id = id;
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', 'Where it leads');
    input.className = 'nn-control';
    input.type = 'text';
    input.autocomplete = 'off';
    input.spellcheck = false;
    input.placeholder = 'Panorama, ROI or x, y';
    for (const [name, value] of [['role', 'combobox'], ['aria-autocomplete', 'list'], ['aria-controls', id], ['aria-label', 'Go to a panorama, a ROI or a coordinate']] as const) {
      input.setAttribute(name, value);
    }
    this.close();
    element.append(input, list);
    input.addEventListener('input', () => {
      this.suggest();
    });
    input.addEventListener('click', () => {
      this.suggest();
    });
    input.addEventListener('blur', () => {
      this.close();
    });
    input.addEventListener('keydown', (event) => {
      this.onKey(event);
    });
    list.addEventListener('pointerdown', (event) => {
      // The field keeps the focus, so that the list stays open until the click.
      event.preventDefault();
    });
    list.addEventListener('click', ({ target }) => {
      const at = [...list.children].findIndex((item) => item.contains(target as Node));
      this.choose(this.found[at]);
    });
  }

  /** Sets where one can go from the panorama that is open; those listed first are offered first. */
  show(panoramas: readonly Panorama[], open: Panorama): void {
    this.finder = new Finder(panoramas);
    this.setOpen(open);
    // The reader may have begun to type before all were known.
    if (!this.list.hidden) this.suggest();
  }

  setOpen(open: Panorama): void {
    this.open = open;
  }

  private suggest(): void {
    const { input, list, open } = this;
    if (!open) return;
    const { destinations: found, more } = destinations(input.value, this.finder, open, MOST);
    this.found = found;
    this.active = -1;
    const items = found.map((destination, at) => {
      const item = textElement('li', destinationText(destination));
      item.id = `${list.id}-${at}`;
      item.setAttribute('role', 'option');
      item.setAttribute('aria-selected', 'false');
      return item;
    });
    const rest = found.length === 0 ? 'Nothing has this name, number or place.' : more > 0 ? `and ${grouped(more)} more; type a part of a name` : '';
    const last = textElement('li', rest, 'nn-more');
    last.setAttribute('role', 'option');
    last.setAttribute('aria-disabled', 'true');
    list.replaceChildren(...items, ...(rest === '' ? [] : [last]));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    input.removeAttribute('aria-activedescendant');
  }

  private onKey(event: KeyboardEvent): void {
    const { list, found } = this;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      if (list.hidden) this.suggest();
      const count = this.found.length;
      if (count > 0) this.activate((this.active + step + count + (this.active < 0 && step < 0 ? 1 : 0)) % count);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (list.hidden) this.suggest();
      this.choose(this.found[Math.max(0, this.active)]);
    } else if (event.key === 'Escape' && !list.hidden) {
      event.stopPropagation();
      this.close();
    } else if (event.key === 'Tab' && found.length > 0) this.close();
  }

  private activate(at: number): void {
    const { list, input } = this;
    this.active = at;
    [...list.children].forEach((item, place) => {
      item.setAttribute('aria-selected', String(place === at));
      if (place !== at) return;
      input.setAttribute('aria-activedescendant', item.id);
      item.scrollIntoView({ block: 'nearest' });
    });
  }

  private choose(destination: Destination | undefined): void {
    if (!destination) return;
    this.close();
    this.input.value = '';
    this.go(destination);
  }

  private close(): void {
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
    this.input.removeAttribute('aria-activedescendant');
  }
}

function destinationText(destination: Destination): string {
  if (destination.kind === 'place') return `${grouped(Math.round(destination.x))}, ${grouped(Math.round(destination.y))} px of this panorama`;
  if (destination.kind === 'nucleus') return `ROI ${destination.roi} of ${destination.panorama.name}`;
  return choiceText(destination.panorama);
}
