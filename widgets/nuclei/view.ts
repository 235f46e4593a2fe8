import { Announcer } from '../shared/announcer';
import { BaseView } from '../shared/baseview';
import type { Model } from '../shared/model';
import plotCss from '../scatter/plot.css';
import chartCss from '../scatter/style.css';
import { Chart, type Nuclei } from './chart';
import { NUCLEI_STATE, type NucleiState } from './nucleistate';
import css from './style.css';

/** The nuclei of an edition by two of their measurements, a point each, or binned where they are many. */
export class NucleiView extends BaseView<NucleiState> {
  private readonly announcer: Announcer;
  private chart: Chart | null = null;

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    const kind = { className: 'nn-chart nn-nuclei', css: plotCss + chartCss + css, state: NUCLEI_STATE, loading: 'Loading the measurements of the nuclei …' };
    super(kind, model, host, signal);
    this.announcer = new Announcer(signal);
    this.root.append(this.announcer.element);
  }

  /** Shows nuclei, of which the measurements are those that the table has. */
  open(nuclei: Nuclei): void {
    const { announcer, around, root, signal, state } = this;
    this.chart = new Chart(nuclei, this.captionNote(nuclei.collection.note), { root, state, announcer, around, signal });
    this.placeLeading();
    this.showReady();
  }

  protected override themeChanged(): void {
    this.chart?.refresh();
  }
}
