import { Choices } from '../shared/choices';
import { iconButton, textButton, textElement } from '../shared/elements';
import type { By } from './colours';

const COLOURS: { value: By; text: string; name: string }[] = [
  { value: 'std', text: 'Spread', name: 'Spread: standard deviation' },
  { value: 'run', text: 'Experiment', name: 'Experiment' },
  { value: 'passage', text: 'Passage', name: 'Passage' },
];

export interface ToolbarEvents {
  by(by: By): void;
  lassoing(lassoing: boolean): void;
  zoomIn(): void;
  zoomOut(): void;
  showAll(): void;
  table(table: boolean): void;
  /** The text searched for has changed. */
  find(text: string): void;
  /** To the next or previous of those found, or to open it. */
  step(steps: number): void;
  open(): void;
}

/** The rows over the plane: how points are coloured, what a drag does, and the search for a panorama. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly choices: Choices<By>;
  private readonly lasso: HTMLButtonElement;
  private readonly table: HTMLButtonElement;
  private readonly buttons = document.createElement('div');
  private readonly colours = document.createElement('fieldset');
  private readonly found = textElement('span', '', 'nn-found');

  constructor(known: ReadonlySet<By>, events: ToolbarEvents) {
    this.choices = new Choices(COLOURS.filter(({ value }) => known.has(value)), (by) => {
      events.by(by);
    });
    this.lasso = lassoButton('panoramas', (lassoing) => {
      events.lassoing(lassoing);
    });
    this.table = textButton(
      'Table',
      () => {
        events.table(!isPressed(this.table));
      },
      'nn-toggle',
    );
    this.buttons.className = 'nn-buttons';
    this.buttons.setAttribute('role', 'group');
    this.buttons.setAttribute('aria-label', 'View');
    this.buttons.append(
      this.lasso,
      iconButton('Zoom in', 'M12 5v14M5 12h14', () => { events.zoomIn(); }),
      iconButton('Zoom out', 'M5 12h14', () => { events.zoomOut(); }),
      iconButton('Show all panoramas', 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5', () => { events.showAll(); }),
    );
    this.element.className = 'nn-toolbar';
    // A row of its own, so that a layer with another number of colours moves nothing.
    const second = textElement('div', '', 'nn-toolbar nn-second');
    second.append(this.buildSearch(events), this.buttons, this.table);
    this.element.append(this.buildColours(), second);
    this.setLassoing(false);
    this.setTable(false);
  }

  setBy(by: By): void {
    this.choices.show(by);
  }

  setLassoing(lassoing: boolean): void {
    this.lasso.setAttribute('aria-pressed', String(lassoing));
  }

  setTable(table: boolean): void {
    this.table.setAttribute('aria-pressed', String(table));
    this.buttons.hidden = this.colours.hidden = table;
  }

  /** Shows how many panoramas have the name searched for. */
  setFound(text: string): void {
    this.found.textContent = text;
  }

  private buildColours(): HTMLElement {
    const { colours } = this;
    colours.className = 'nn-fieldset nn-colours';
    // A `legend` would be placed above the choices by WebKit.
    colours.setAttribute('aria-label', 'Colour');
    const name = textElement('span', 'Colour', 'nn-label');
    name.setAttribute('aria-hidden', 'true');
    colours.append(name, this.choices.element);
    return colours;
  }

  private buildSearch(events: ToolbarEvents): HTMLElement {
    const label = document.createElement('label');
    label.className = 'nn-find';
    const input = document.createElement('input');
    input.type = 'search';
    input.className = 'nn-control';
    input.placeholder = 'Name of a panorama';
    input.autocomplete = 'off';
    input.spellcheck = false;
    input.addEventListener('input', () => {
      events.find(input.value.trim());
    });
    input.addEventListener('keydown', (event) => {
      const steps = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (steps !== undefined) events.step(steps);
      else if (event.key === 'Enter') events.open();
      else if (event.key === 'Escape' && input.value !== '') {
        input.value = '';
        events.find('');
        event.stopPropagation();
      } else return;
      event.preventDefault();
    });
    label.append(textElement('span', 'Find', 'nn-label'), input, this.found);
    return label;
  }
}

/** The button that has the next drag draw a lasso; Escape releases it. */
export function lassoButton(round: string, lassoing: (lassoing: boolean) => void): HTMLButtonElement {
  const button = iconButton(`Lasso: draw round ${round} to select them`, LASSO, () => {
    const pressed = !isPressed(button);
    button.setAttribute('aria-pressed', String(pressed));
    lassoing(pressed);
  });
  button.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !isPressed(button)) return;
    event.stopPropagation();
    button.click();
  });
  return button;
}

function isPressed(button: HTMLButtonElement): boolean {
  return button.getAttribute('aria-pressed') === 'true';
}

const LASSO = 'M7 15c-3-1-4-3-4-5 0-4 4-6 9-6s9 2 9 6-4 6-9 6c-2 0-3 0-4-.5M7 13.5a2 2 0 1 0 .1 0M7 17c0 2-1 3-3 4';
