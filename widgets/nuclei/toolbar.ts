import type { Measure } from '../shared/measure';
import { iconButton, textElement } from '../shared/elements';
import { lassoButton } from '../scatter/toolbar';

export interface ToolbarEvents {
  x(column: string): void;
  y(column: string): void;
  by(by: string): void;
  lassoing(lassoing: boolean): void;
  zoomIn(): void;
  zoomOut(): void;
  showAll(): void;
}

/** The row over the plane: what its axes and colours show, and what a drag does. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly across = document.createElement('select');
  private readonly upwards = document.createElement('select');
  private readonly colour = document.createElement('select');
  private readonly lasso: HTMLButtonElement;

  constructor(measures: Measure[], runs: boolean, events: ToolbarEvents) {
    const { across, upwards, colour } = this;
    const options = () => measures.map(({ column, name }) => new Option(name, column));
    across.append(...options());
    upwards.append(...options());
    colour.append(new Option('Nuclei near it', 'count'), ...(runs ? [new Option('Experiment', 'run')] : []), ...options());
    across.addEventListener('change', () => { events.x(across.value); });
    upwards.addEventListener('change', () => { events.y(upwards.value); });
    colour.addEventListener('change', () => { events.by(colour.value); });
    this.lasso = lassoButton('nuclei', (lassoing) => {
      events.lassoing(lassoing);
    });
    const buttons = textElement('div', '', 'nn-buttons');
    buttons.setAttribute('role', 'group');
    buttons.setAttribute('aria-label', 'View');
    buttons.append(
      this.lasso,
      iconButton('Zoom in', 'M12 5v14M5 12h14', () => { events.zoomIn(); }),
      iconButton('Zoom out', 'M5 12h14', () => { events.zoomOut(); }),
      iconButton('Show all nuclei', 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5', () => { events.showAll(); }),
    );
    this.element.className = 'nn-toolbar';
    this.element.append(field('Across', across), field('Upwards', upwards), field('Colour', colour), buttons);
    this.setLassoing(false);
  }

  show({ x, y, by }: { x: string; y: string; by: string }): void {
    [this.across.value, this.upwards.value, this.colour.value] = [x, y, by];
  }

  setLassoing(lassoing: boolean): void {
    this.lasso.setAttribute('aria-pressed', String(lassoing));
  }
}

function field(name: string, select: HTMLSelectElement): HTMLElement {
  select.className = 'nn-control';
  const label = document.createElement('label');
  label.className = 'nn-choose';
  label.append(textElement('span', name, 'nn-label'), select);
  return label;
}
