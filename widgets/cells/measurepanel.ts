import { textElement } from '../shared/elements';
import { passing, type Columns, type Filter, type Kinds } from '../shared/filter';
import { MEASURES } from '../shared/measure';
import { grouped } from '../shared/text';
import { binned, extent } from './choice';
import { BINS, MeasureFilter } from './measures';

/** The measurements of a draw, each with the range of it that is shown, and the classes. */
export class MeasurePanel {
  readonly element = document.createElement('div');
  private readonly filters: MeasureFilter[];
  private readonly kind = document.createElement('select');
  private readonly kindField = document.createElement('label');
  private readonly waiting = textElement('p', 'Loading measurements …', 'nn-note');
  private filter: Filter = { ranges: new Map(), kind: null };
  private offered = '';

  constructor(changed: (filter: Filter) => void) {
    const { element, kind, kindField } = this;
    element.className = 'nn-measures';
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'Measurements');
    this.filters = MEASURES.map(
      (measure) =>
        new MeasureFilter(measure, (range) => {
          const ranges = new Map(this.filter.ranges);
          if (range) ranges.set(measure.column, range);
          else ranges.delete(measure.column);
          changed({ ...this.filter, ranges });
        }),
    );
    kind.addEventListener('change', () => {
      changed({ ...this.filter, kind: kind.value === '' ? null : kind.value });
    });
    kind.className = 'nn-control';
    kindField.className = 'nn-kind';
    kindField.append(textElement('span', 'Class', 'nn-label'), kind);
    element.append(this.waiting, ...this.filters.map((one) => one.element), kindField);
  }

  /** Shows the measurements that are there; `drawn` is the whole draw, `ofRun` those of the run that is shown. */
  show(drawn: number[], ofRun: number[], filter: Filter, columns: Columns, kinds: Kinds | null, waiting: boolean): void {
    this.filter = filter;
    for (const one of this.filters) {
      const { column } = one.measure;
      const values = columns.get(column);
      const range = values ? extent(drawn, values) : null;
      // One that is the same for all is of no use.
      one.element.hidden = !values || !range || range[0] === range[1];
      if (!values || !range) continue;
      const some = passing(ofRun, filter, columns, kinds, column);
      one.show(range, binned(drawn, values, range, BINS), binned(some, values, range, BINS), filter.ranges.get(column) ?? null);
    }
    this.waiting.hidden = !waiting;
    this.showKinds(drawn, kinds);
  }

  /** Marks the values of the chosen cell. */
  mark(values: ReadonlyMap<string, number> | null): void {
    for (const one of this.filters) one.mark(values?.get(one.measure.column) ?? null);
  }

  private showKinds(drawn: number[], kinds: Kinds | null): void {
    this.kindField.hidden = kinds === null || kinds.names.length === 0;
    if (!kinds) return;
    const counts = new Uint32Array(kinds.names.length + 1);
    for (const cell of drawn) {
      const code = kinds.codes[cell] ?? 0;
      counts[code] = (counts[code] ?? 0) + 1;
    }
    const options = kinds.names.map((name, at) => ({ name, count: counts[at + 1] ?? 0 }));
    options.sort((a, b) => b.count - a.count);
    const unknown = counts[0] ?? 0;
    const offered = JSON.stringify([options, unknown]);
    if (offered !== this.offered) {
      this.offered = offered;
      this.kind.replaceChildren(new Option(unknown > 0 ? `All (${grouped(unknown)} of no known class)` : 'All', ''), ...options.map(({ name, count }) => new Option(`${name} (${grouped(count)})`, name)));
    }
    this.kind.value = this.filter.kind ?? '';
  }
}
