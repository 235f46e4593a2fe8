import { textButton, textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import type { Panorama } from './collection';

const ROWS = 20;

interface Column {
  title: string;
  key: (panorama: Panorama) => string | number | null;
  text: (panorama: Panorama) => string;
  numeric: boolean;
}

const COLUMNS: Column[] = [
  { title: 'Panorama', key: ({ name }) => name, text: ({ name }) => name, numeric: false },
  column('Experiment', ({ run }) => run),
  { title: 'Passage', key: ({ passage }) => passage, text: ({ passage }) => passage ?? '–', numeric: false },
  column('Nuclei', ({ rois }) => rois),
  column('Brightness', ({ mean }) => mean, 1),
  column('Standard deviation', ({ spread }) => spread, 1),
  column('Rank', ({ rank }) => rank),
];

function column(title: string, key: (panorama: Panorama) => number | null, digits = 0): Column {
  const text = (panorama: Panorama) => {
    const value = key(panorama);
    return value === null ? '–' : digits > 0 ? value.toFixed(digits) : grouped(value);
  };
  return { title, key, text, numeric: true };
}

/** The same panoramas as a table that can be sorted, for readers who cannot see the plane. */
export class Listing {
  readonly element = document.createElement('div');
  private readonly frame = document.createElement('div');
  private readonly table = document.createElement('table');
  private readonly caption = document.createElement('caption');
  private readonly body = document.createElement('tbody');
  private readonly heads: HTMLTableCellElement[] = [];
  private readonly columns: Column[];
  private readonly place = textElement('span', '', 'nn-place');
  private readonly back = textButton('Previous', () => { this.turn(-1); }, '');
  private readonly next = textButton('Next', () => { this.turn(1); }, '');
  private rows: Panorama[] = [];
  private sort: { by: number; down: boolean };
  private page = 0;
  private chosen: string | null = null;

  constructor(
    panoramas: Panorama[],
    private readonly choose: (panorama: Panorama) => void,
  ) {
    this.columns = COLUMNS.filter(({ key }) => panoramas.some((panorama) => key(panorama) !== null));
    const ranks = this.columns.findIndex(({ title }) => title === 'Rank');
    this.sort = { by: Math.max(0, ranks), down: false };
    const head = document.createElement('tr');
    this.columns.forEach(({ title, numeric }, at) => {
      const cell = document.createElement('th');
      cell.scope = 'col';
      cell.className = numeric ? 'nn-number' : '';
      const sort = () => {
        this.sort = { by: at, down: this.sort.by === at && !this.sort.down };
        this.page = 0;
        this.update();
      };
      cell.append(textButton(title, sort, ''));
      this.heads.push(cell);
      head.append(cell);
    });
    const top = document.createElement('thead');
    top.append(head);
    this.table.append(this.caption, top, this.body);
    const { frame } = this;
    frame.className = 'nn-rows';
    frame.tabIndex = 0;
    frame.setAttribute('role', 'region');
    frame.setAttribute('aria-label', 'Table of panoramas');
    frame.append(this.table);
    const pages = textElement('div', '', 'nn-pages');
    this.place.setAttribute('role', 'status');
    pages.append(this.back, this.place, this.next);
    this.element.className = 'nn-listing';
    this.element.append(frame, pages);
  }

  /** Lists panoramas, all or those selected. */
  show(panoramas: Panorama[], caption: string): void {
    this.rows = panoramas;
    this.page = 0;
    this.caption.textContent = caption;
    this.update();
  }

  focus(): void {
    this.frame.focus({ preventScroll: true });
  }

  setChosen(name: string | null): void {
    this.chosen = name;
    for (const row of this.body.rows) this.mark(row);
  }

  private turn(pages: number): void {
    this.page += pages;
    this.fill();
  }

  private update(): void {
    const { by, down } = this.sort;
    const key = this.columns[by]?.key ?? (() => null);
    this.rows = sorted(this.rows, key, down);
    this.heads.forEach((cell, at) => {
      if (at === by) cell.ariaSort = down ? 'descending' : 'ascending';
      else cell.ariaSort = null;
    });
    this.fill();
  }

  private fill(): void {
    const start = this.page * ROWS;
    const shown = this.rows.slice(start, start + ROWS);
    this.body.replaceChildren(...shown.map((panorama) => this.row(panorama)));
    const [from, to, all] = [start + 1, start + shown.length, this.rows.length].map(grouped);
    this.place.textContent = shown.length > 0 ? `${from ?? ''} to ${to ?? ''} of ${all ?? ''}` : 'No panoramas';
    this.back.disabled = this.page === 0;
    this.next.disabled = start + ROWS >= this.rows.length;
  }

  private row(panorama: Panorama): HTMLTableRowElement {
    const row = document.createElement('tr');
    row.dataset.name = panorama.name;
    this.columns.forEach(({ text, numeric }, at) => {
      const cell = document.createElement(at === 0 ? 'th' : 'td');
      cell.className = numeric ? 'nn-number' : '';
      if (at > 0) cell.textContent = text(panorama);
      else {
        cell.scope = 'row';
        const choose = () => {
          this.choose(panorama);
        };
        cell.append(textButton(text(panorama), choose, ''));
      }
      row.append(cell);
    });
    this.mark(row);
    return row;
  }

  private mark(row: HTMLTableRowElement): void {
    const chosen = row.dataset.name === this.chosen;
    row.classList.toggle('nn-chosen', chosen);
    row.querySelector('button')?.setAttribute('aria-pressed', String(chosen));
  }
}

/** Panoramas in the order of a value; those without one come last, either way. */
export function sorted(
  panoramas: Panorama[],
  key: (panorama: Panorama) => string | number | null,
  down: boolean,
): Panorama[] {
  const sign = down ? -1 : 1;
  return [...panoramas].sort((one, two) => {
    const [a, b] = [key(one), key(two)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * String(a).localeCompare(String(b), 'en', { numeric: true });
  });
}
