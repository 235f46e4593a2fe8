import type { Brushed, State } from './address';
import { decidingColumns, isSomethingSelected, NOTHING_SELECTED, selectedIn, selectedNuclei, type Known } from './brush';
import { textButton } from './elements';
import { MEASURES } from './measure';
import { grouped, nuclei as countText } from './text';

/** Which of a view's nuclei are selected on the page, for a view that shows the others dim. */
export class Selection {
  /** 1 for each that is selected, else 0; null where nothing is selected, or it is not known what that means here. */
  inside: Uint8Array | null = null;
  private key = '';
  private words = '';
  private readonly drop: HTMLButtonElement;

  constructor(
    private readonly state: State<Brushed>,
    dropped: () => void,
  ) {
    this.drop = textButton(
      'Clear selection',
      () => {
        state.set({ ...NOTHING_SELECTED }, 'push');
        dropped();
      },
      'nn-button nn-again',
    );
  }

  /** Whether anything is selected on the page. */
  get some(): boolean {
    return isSomethingSelected(this.state);
  }

  /**
   * Decides on `count` nuclei; null where what decides on them is not known yet. `of` names them: others are decided on anew.
   */
  decide(of: string, count: number, known: Known | null): void {
    const selected = selectedIn(this.state);
    const key = JSON.stringify([of, selected, known?.listed.size, known?.columns.size]);
    if (key === this.key) return;
    this.key = key;
    this.inside = null;
    this.words = '';
    const columns = decidingColumns(selected);
    if (!known || (selected.lasso === null && columns.length === 0) || (selected.lasso !== null && known.listed.size === 0)) return;
    const unknown = columns.filter((column) => (column === 'class' ? known.kinds === null : !known.columns.has(column)));
    if (unknown.length > 0) {
      this.words = `Nuclei are selected by ${unknown.map(nameOf).join(' and ')}, which is not known here.`;
      return;
    }
    this.inside = selectedNuclei(count, selected, known);
    const inside = this.inside?.reduce((sum, one) => sum + one, 0) ?? 0;
    const cells = known.cells?.reduce((sum, one) => sum + one, 0) ?? count;
    const others = cells === count ? 'the others' : `the others, and ${grouped(count - cells)} without a cell image,`;
    this.words = `${grouped(inside)} of ${countText(cells)} ${inside === 1 ? 'is' : 'are'} selected on this page; ${others} are dim.`;
  }

  /** What is selected, in words, and a button that drops it; nothing where nothing is. */
  get remark(): (string | Node)[] {
    return this.words === '' ? [] : [`${this.words} `, this.drop];
  }
}

function nameOf(column: string): string {
  return MEASURES.find((measure) => measure.column === column)?.name.toLowerCase() ?? column;
}
