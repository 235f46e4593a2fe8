import { disclosureButton, iconButton, textButton, textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import { SIZE } from './cellstate';
import { MEASURES } from '../shared/measure';
import type { Order } from './choice';
import type { Run } from './draw';

export interface ToolbarEvents {
  /** Another draw: by a seed, or by a fresh one. */
  draw(seed: number | null): void;
  /** What is to be in the names of the cells shown; null for a draw. */
  find(text: string | null): void;
  savePicture: () => void;
  /** Null where there is no table. */
  saveTable: (() => void) | null;
  /** Null where the browser has no full screen for a part of the page. */
  fullScreen: (() => void) | null;
  run(run: number | null): void;
  sort(order: Order | null): void;
  size(size: number): void;
  measures(open: boolean): void;
}

/** The rows over the grid: the draw, which of its cells are shown, how they are ordered, and how large. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly seed = document.createElement('input');
  private readonly find = document.createElement('input');
  private readonly drawn = textElement('p', '', 'nn-drawn');
  private readonly run = document.createElement('select');
  private readonly sort = document.createElement('select');
  private readonly turn: HTMLButtonElement;
  private readonly size = document.createElement('input');
  private readonly measures: HTMLButtonElement;
  private order: Order | null = null;
  private shownSeed = '';

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
    draw.append(this.buildSeed(events), textButton('New draw', () => { events.draw(null); }), this.drawn, buttonsOf(events));
    const order = field('Order', sort);
    order.append(this.turn);
    const runField = field('Experiment', run);
    runField.hidden = runs.length < 2;
    order.hidden = this.measures.hidden = !measured;
    const finding = this.buildFind(events);
    finding.hidden = !measured;
    const adjusting = textElement('div', '', 'nn-adjust');
    adjusting.append(this.measures, contrast);
    this.element.append(draw, runField, order, field('Size', size), finding, adjusting);
  }

  private buildSeed(events: ToolbarEvents): HTMLElement {
    const { seed } = this;
    Object.assign(seed, { type: 'text', inputMode: 'numeric', maxLength: 10, autocomplete: 'off', spellcheck: false });
    seed.className = 'nn-control nn-seed';
    seed.title = 'The seed that makes this draw: type another, then Enter';
    seed.addEventListener('change', () => {
      const typed = Number(seed.value);
      if (Number.isSafeInteger(typed) && typed >= 1 && typed < 2 ** 32) events.draw(typed);
      else seed.value = this.shownSeed;
    });
    return field('Draw', seed);
  }

  private buildFind(events: ToolbarEvents): HTMLElement {
    const { find } = this;
    Object.assign(find, { type: 'search', placeholder: 'Panorama or cell', autocomplete: 'off', spellcheck: false });
    find.className = 'nn-control nn-find';
    find.addEventListener('change', () => { events.find(find.value.trim() || null); });
    // The cross in the field clears it without a change of it.
    find.addEventListener('search', () => { events.find(find.value.trim() || null); });
    return field('Find', find);
  }

  show(state: { seed: number; scope: string; find: string | null; drawn: number; of: number; shown: number; run: number | null; order: Order | null; size: number; filtered: boolean }): void {
    const { seed, scope, find, drawn, of, shown, run, order, size } = state;
    const all = drawn < of ? `${grouped(drawn)} of ${grouped(of)} cells` : `All ${grouped(of)} cells`;
    this.drawn.textContent = `${scope === '' ? all : scope}${shown < drawn ? `, ${grouped(shown)} of them shown` : ''}`;
    const { activeElement } = this.element.getRootNode() as ShadowRoot | Document;
    this.shownSeed = String(seed);
    if (activeElement !== this.seed) this.seed.value = this.shownSeed;
    if (activeElement !== this.find) this.find.value = find ?? '';
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

function buttonsOf({ fullScreen, savePicture, saveTable }: ToolbarEvents): HTMLElement {
  const buttons = textElement('div', '', 'nn-buttons');
  buttons.setAttribute('role', 'group');
  buttons.setAttribute('aria-label', 'View');
  if (fullScreen) buttons.append(iconButton('Full screen', 'M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5', fullScreen));
  buttons.append(iconButton('Save the cells in view as a picture', 'M12 4v11M7 11l5 5 5-5M5 20h14', savePicture));
  if (saveTable) buttons.append(iconButton('Save the table of the cells shown as CSV', 'M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14', saveTable));
  return buttons;
}
