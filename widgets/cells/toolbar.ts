import { disclosureButton, textButton, textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import { SIZE } from './cellstate';
import type { Order } from './choice';
import type { Run } from './draw';
import { MEASURES } from './table';

export interface ToolbarEvents {
  newDraw(): void;
  run(run: number | null): void;
  sort(order: Order | null): void;
  size(size: number): void;
  measures(open: boolean): void;
}

/** The rows over the grid: the draw, which of its cells are shown, how they are ordered, and how large. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly drawn = textElement('p', '', 'nn-drawn');
  private readonly run = document.createElement('select');
  private readonly sort = document.createElement('select');
  private readonly turn: HTMLButtonElement;
  private readonly size = document.createElement('input');
  private readonly measures: HTMLButtonElement;
  private order: Order | null = null;

  constructor(runs: Run[], measured: boolean, contrast: HTMLElement, events: ToolbarEvents) {
    const { run, sort, size } = this;
    run.className = sort.className = 'nn-control';
    run.append(new Option('All', ''), ...runs.map(({ run, passage }) => new Option(`${run}${passage === null ? '' : ` (${passage})`}`, String(run))));
    run.addEventListener('change', () => { events.run(run.value === '' ? null : Number(run.value)); });
    sort.append(new Option('As drawn', ''), ...MEASURES.map(({ column, name }) => new Option(name, column)));
    sort.addEventListener('change', () => {
      events.sort(sort.value === '' ? null : { column: sort.value, down: this.order?.down ?? false });
    });
    this.turn = textButton(
      '↑',
      () => {
        if (this.order) events.sort({ ...this.order, down: !this.order.down });
      },
      'nn-button nn-turn',
    );
    Object.assign(size, { type: 'range', min: String(SIZE.least), max: String(SIZE.most), step: String(SIZE.step) });
    size.addEventListener('input', () => { events.size(Number(size.value)); });
    this.measures = disclosureButton('Measurements', 'nn-measures-button', (open) => {
      events.measures(open);
    });
    this.element.className = 'nn-toolbar';
    const draw = textElement('div', '', 'nn-draw');
    draw.append(this.drawn, textButton('New draw', () => { events.newDraw(); }));
    const order = field('Order', sort);
    order.append(this.turn);
    const runField = field('Experiment', run);
    runField.hidden = runs.length < 2;
    order.hidden = this.measures.hidden = !measured;
    this.element.append(draw, runField, order, field('Size', size), this.measures, contrast);
  }

  show(state: { seed: number; drawn: number; of: number; shown: number; run: number | null; order: Order | null; size: number; filtered: boolean }): void {
    const { seed, drawn, of, shown, run, order, size } = state;
    const all = drawn < of ? `${grouped(drawn)} of ${grouped(of)}` : `all ${grouped(of)}`;
    this.drawn.textContent = `Draw ${seed}: ${all} cells${shown < drawn ? `, ${grouped(shown)} of them shown` : ''}`;
    this.run.value = run === null ? '' : String(run);
    this.order = order;
    this.sort.value = order?.column ?? '';
    this.turn.hidden = order === null;
    this.turn.textContent = order?.down ? '↓' : '↑';
    this.turn.setAttribute('aria-label', order?.down ? 'Largest first; turn round' : 'Smallest first; turn round');
    this.turn.title = order?.down ? 'Largest first' : 'Smallest first';
    this.size.value = String(size);
    this.size.setAttribute('aria-valuetext', `${size} px`);
    this.measures.classList.toggle('nn-set', state.filtered);
  }

  setMeasures(open: boolean): void {
    this.measures.setAttribute('aria-expanded', String(open));
  }
}

function field(name: string, control: HTMLElement): HTMLElement {
  const box = textElement('div', '', 'nn-choose');
  const label = document.createElement('label');
  label.append(textElement('span', name, 'nn-label'), control);
  box.append(label);
  return box;
}
