import { Announcer } from '../shared/announcer';
import { BaseView } from '../shared/baseview';
import { textElement } from '../shared/elements';
import imageCss from '../shared/image.css';
import { numberTrait, textTrait, type Model } from '../shared/model';
import { CellBrowser, type CellSource } from './browser';
import { CELL_STATE, type CellState } from './cellstate';
import css from './style.css';

/**
 * A random draw of an edition's cells in a grid.
 *
 * What the reader does changes the state, and what is shown follows the state.
 */
export class CellView extends BaseView<CellState> {
  private readonly announcer: Announcer;

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-cells', css: imageCss + css, state: CELL_STATE, loading: 'Loading the cells …' }, model, host, signal);
    this.announcer = new Announcer(signal);
    this.root.append(this.announcer.element);
  }

  /** Shows that the edition has no cells, and where there are some. */
  empty(note: string): void {
    const message = note || 'There are no cells in this build of the book.';
    const dataset = textTrait(this.model, 'dataset');
    if (dataset === null || !/^https?:/.test(dataset)) {
      this.showMessage('empty', message);
      return;
    }
    const link = document.createElement('a');
    link.href = dataset;
    link.textContent = dataset.replace(/^https?:\/\//, '');
    const where = textElement('p', 'The single-cell images of NucleusNet are at ');
    where.append(link, '.');
    this.showMessage('empty', message, where);
  }

  /** Shows the cells of an edition. */
  open(source: CellSource): void {
    const { announcer, around, model, root, signal, state } = this;
    this.showReady();
    const note = this.captionNote(source.collection.note);
    new CellBrowser(source, { root, state, announcer, around, note, perRun: numberTrait(model, 'per_run'), signal });
    this.placeLeading();
  }
}
