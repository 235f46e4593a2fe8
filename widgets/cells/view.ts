import { Announcer } from '../shared/announcer';
import { BaseView } from '../shared/baseview';
import { textButton, textElement } from '../shared/elements';
import imageCss from '../shared/image.css';
import { textTrait, type Model } from '../shared/model';
import { CellBrowser } from './browser';
import { CELL_STATE, type CellState } from './cellstate';
import type { DatasetName } from './hub';
import type { CellSource } from './source';
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

  /** Waits until the reader lets a host be asked for the images of a data set. */
  ask({ host, name }: DatasetName): Promise<void> {
    return new Promise((asked) => {
      const start = textButton(`Stream from ${host}`, () => {
        asked();
      });
      this.showMessage('empty', `The images are in the data set ${name} on ${host}. Your browser asks that host, and the servers where it keeps files, for those in view.`, start);
    });
  }

  /** Shows that the files of a data set are being read. */
  showProgress(text: string): void {
    this.showMessage('loading', text);
  }

  /** Shows the cells of an edition or a data set. */
  open(source: CellSource): void {
    const { announcer, around, root, signal, state } = this;
    this.showReady();
    const note = this.captionNote(source.collection.note);
    const link = this.linked ? () => this.link() : null;
    new CellBrowser(source, { root, state, announcer, around, note, pictureNote: this.pictureNote(source.collection.note), link, signal });
    this.placeLeading();
  }
}
