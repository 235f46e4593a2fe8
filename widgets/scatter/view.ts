import { Announcer } from '../shared/announcer';
import { BaseView } from '../shared/baseview';
import type { Model } from '../shared/model';
import type { PanoramaList } from '../shared/panoramalist';
import { Chart } from './chart';
import { counted } from './collection';
import plotCss from './plot.css';
import { SCATTER_STATE, type ScatterState } from './scatterstate';
import css from './style.css';

/** Count against brightness, a point a panorama. */
export class ScatterView extends BaseView<ScatterState> {
  private readonly announcer: Announcer;
  private chart: Chart | null = null;

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-chart nn-scatter', css: plotCss + css, state: SCATTER_STATE, loading: 'Loading the panoramas …' }, model, host, signal);
    this.announcer = new Announcer(signal);
    this.root.append(this.announcer.element);
  }

  /** Shows the panoramas of an edition. */
  open({ panoramas: listed, note }: PanoramaList): void {
    const panoramas = counted(listed);
    if (panoramas.every(({ mean }) => mean === null)) {
      this.showMessage('empty', note || 'There are no panoramas in this build of the book.');
      return;
    }
    const { announcer, around, root, signal, state } = this;
    this.chart = new Chart(panoramas, this.captionNote(note), { root, state, announcer, around, signal });
    this.placeLeading();
    this.showReady();
  }

  protected override themeChanged(): void {
    this.chart?.refresh();
  }
}
