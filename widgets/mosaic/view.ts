import { settle, stateOf, type State } from '../shared/address';
import { followTheme } from '../shared/appearance';
import { contrastText, isPlain, type Contrast } from '../shared/contrast';
import { ContrastPanel } from '../shared/contrastpanel';
import { contrastOf, contrastState } from '../shared/contraststate';
import { textElement } from '../shared/elements';
import { keepKeys } from '../shared/host';
import baseCss from '../shared/base.css';
import imageCss from '../shared/image.css';
import { numberTrait, onTrait, textTrait, type Model } from '../shared/model';
import type { ListedPanorama } from '../shared/panoramalist';
import { download } from '../shared/picture';
import { Problem } from '../shared/problem';
import { grouped, rounded } from '../shared/text';
import { whereShown } from '../shared/where';
import zoomCss from '../shared/zoom.css';
import { sameView } from '../shared/zoomstate';
import { Card } from './card';
import { indexOf, nextPlace, placeOf, runText, type GridPlace, type Mosaic } from './mosaic';
import { MOSAIC_STATE, type MosaicState } from './mosaicstate';
import { cellText, nameOf, type Cell, type Names } from './names';
import { Stage } from './stage';
import css from './style.css';
import { Toolbar } from './toolbar';

const GAPS_NOTE = 'Parts of the mosaic could not be loaded.';

/**
 * Shows a mosaic of cells, a run in each row.
 *
 * What the reader does changes the state, and what is shown follows the state. The root's `data-state` is `loading`,
 * `ready`, `empty` or `error`, its `data-names` whether the names of the cells are there: `loading`, `ready` or `failed`.
 */
export class MosaicView {
  readonly root = document.createElement('div');
  private readonly style = document.createElement('style');
  private readonly facts = textElement('p', '', 'nn-facts');
  private readonly remark = textElement('p', '', 'nn-remark');
  private readonly message = document.createElement('div');
  private readonly said = textElement('p', '');
  private readonly again = textElement('button', 'Try again', 'nn-button nn-again') as HTMLButtonElement;
  private readonly state: State<MosaicState>;
  private readonly card: Card;
  private readonly panel: ContrastPanel;
  private toolbar: Toolbar | null = null;
  private mosaic: Mosaic | null = null;
  private names: Names | null = null;
  private panoramas: Map<string, ListedPanorama> | null = null;
  private stage: Stage | null = null;
  /** What of the state is on the screen: it is only moved where the state has changed. */
  private seen: { view: number[] | null; cell: number | null } = { view: null, cell: null };
  private askAgain: () => void = () => undefined;
  private gaps = false;
  private notice = '';

  constructor(
    private readonly model: Model,
    host: HTMLElement,
    signal: AbortSignal,
  ) {
    this.style.textContent = baseCss + imageCss + zoomCss + css;
    this.root.className = 'nn-view nn-zoom nn-mosaic';
    if (model.get('address') === false) keepKeys(this.root);
    this.message.className = 'nn-message';
    this.message.setAttribute('role', 'status');
    this.remark.setAttribute('role', 'status');
    this.again.type = 'button';
    this.message.append(this.said);
    followTheme(this.root, signal);
    this.setHeight();
    this.tell('loading', 'Loading the mosaic …');
    this.root.append(this.message);
    host.append(this.style, this.root);
    this.state = stateOf(model, MOSAIC_STATE, signal);
    this.panel = new ContrastPanel((contrast) => {
      this.change(contrastState(contrast));
    });
    this.card = new Card({
      step: (step) => {
        this.step(step);
      },
      zoomTo: () => {
        const place = this.chosenPlace();
        if (place) this.stage?.goToCell(place, true);
      },
      close: () => {
        this.letGo();
      },
      link: model.get('address') === false ? null : () => this.link(),
    });
    onTrait(
      model,
      'height',
      () => {
        this.setHeight();
      },
      signal,
    );
    this.state.onChange(() => {
      if (this.stage) this.apply(true);
    });
  }

  /** Shows a mosaic; `askAgain` asks for what of its names and panoramas could not be had. */
  open(mosaic: Mosaic, askAgain: () => void): void {
    this.mosaic = mosaic;
    this.askAgain = askAgain;
    if (mosaic.rows.length === 0) {
      this.tell('empty', `${mosaic.note} Without cells there is no mosaic of them.`.trim());
      return;
    }
    this.root.dataset.names = 'loading';
    this.build(mosaic);
    this.apply(true);
    const { view } = this.seen;
    this.stage?.open(view);
  }

  /** Takes up the names of the cells; null where they could not be had. */
  setNames(names: Names | null): void {
    this.names = names;
    this.root.dataset.names = names ? 'ready' : 'failed';
    this.apply(true);
    this.stage?.refresh();
  }

  setPanoramas(panoramas: Map<string, ListedPanorama>): void {
    this.panoramas = panoramas;
    this.showCard();
  }

  fail(problem: Problem, retry: () => void): void {
    this.tell('error', problem.message);
    this.again.onclick = () => {
      this.tell('loading', 'Loading …');
      retry();
    };
    this.message.append(this.again);
  }

  destroy(): void {
    this.stage?.destroy();
    this.root.remove();
    this.style.remove();
  }

  private build(mosaic: Mosaic): void {
    this.toolbar = new Toolbar(mosaic.normalised !== null, {
      normalised: (normalised) => {
        this.change({ normalised });
      },
      contrast: (open) => {
        this.panel.element.hidden = !open;
        this.countLevels();
      },
    });
    const body = document.createElement('div');
    body.className = 'nn-body';
    this.root.style.setProperty('--aspect', `${mosaic.columns} / ${mosaic.rows.length}`);
    this.root.prepend(this.toolbar.element, this.panel.element, body, this.card.element);
    const fullScreen = () => {
      void this.toggleFullScreen();
    };
    const stage = new Stage(
      body,
      mosaic,
      this.state.get('normalised'),
      {
        ready: () => {
          this.tell('ready', '');
          this.showRemark();
        },
        failed: (problem) => {
          this.fail(problem, () => {
            stage.retry();
          });
        },
        gaps: (some) => {
          this.gaps = some;
          this.showRemark();
        },
        rested: (view) => {
          this.countLevels();
          if (sameView(view, this.seen.view)) return;
          this.seen.view = view;
          this.state.set({ view }, 'settle');
        },
        chosen: (place) => {
          this.choose(indexOf(mosaic, place), 'push');
        },
        step: (step) => {
          this.step(step);
        },
        escape: () => {
          this.letGo();
        },
        save: () => {
          void this.save();
        },
        describe: (place) => this.describe(place),
      },
      document.fullscreenEnabled ? fullScreen : null,
    );
    stage.element.append(this.message);
    const caption = document.createElement('div');
    caption.className = 'nn-caption';
    caption.append(this.facts, this.remark);
    if (mosaic.note) caption.append(textElement('p', mosaic.note, 'nn-note'));
    this.root.append(caption);
    this.root.addEventListener('fullscreenchange', () => {
      stage.setFullScreen(this.root.matches(':fullscreen'));
    });
    this.stage = stage;
  }

  /** Changes the state as the reader wishes, and shows it. */
  private change(values: Partial<MosaicState>): void {
    this.state.set(values, 'settle');
    this.apply(false);
  }

  private choose(at: number, change: 'push' | 'settle'): void {
    const cell = this.names?.all[at];
    if (!cell || at === this.seen.cell) return;
    this.state.set({ panorama: cell.panorama, roi: cell.roi }, change);
    this.apply(false);
  }

  private letGo(): void {
    if (this.seen.cell === null) return;
    const within = this.card.element.contains((this.root.getRootNode() as ShadowRoot | Document).activeElement);
    this.change({ roi: null });
    if (within) this.stage?.focus();
  }

  /** Goes from the chosen cell to the next or the previous one. */
  private step(step: 1 | -1): void {
    const { mosaic } = this;
    const place = mosaic && nextPlace(mosaic, this.chosenPlace(), step);
    if (!place || !this.names) return;
    // One step back leads out of however many were looked at.
    this.choose(indexOf(mosaic, place), this.seen.cell === null ? 'push' : 'settle');
    this.stage?.goToCell(place, false);
  }

  private chosenPlace(): GridPlace | null {
    const { mosaic, seen } = this;
    return mosaic && seen.cell !== null ? placeOf(mosaic, seen.cell) : null;
  }

  /** Shows what the state says. */
  private apply(byOthers: boolean): void {
    const { stage, state, toolbar, names } = this;
    if (!stage || !toolbar) return;
    const view = state.get('view');
    const moved = !sameView(view, this.seen.view);
    this.seen.view = view;
    const contrast = this.contrast();
    toolbar.show(state.get('normalised'), isPlain(contrast));
    this.panel.show(contrast);
    stage.setContrast(contrast);
    stage.setNormalised(state.get('normalised'));
    if (moved) stage.goTo(view);
    const cell = names?.find(state.get('panorama'), state.get('roi')) ?? null;
    if (cell !== this.seen.cell) {
      this.seen.cell = cell;
      const place = this.chosenPlace();
      stage.choose(place);
      if (byOthers && place && !(moved && view !== null)) stage.goToCell(place, false);
    }
    this.showCard();
    this.showFacts();
    this.showRemark();
  }

  private contrast(): Contrast {
    const { state } = this;
    return contrastOf({ contrast: state.get('contrast'), invert: state.get('invert'), colour: state.get('colour') });
  }

  private countLevels(): void {
    if (this.stage && !this.panel.element.hidden) this.panel.count(this.stage.levels());
  }

  private describe(place: GridPlace): { name: string; facts: string } {
    const { mosaic, names } = this;
    const row = mosaic?.rows[place.row];
    if (!mosaic || !row) return { name: '', facts: '' };
    const cell = names?.all[indexOf(mosaic, place)];
    return cell ? { name: nameOf(cell), facts: this.cellFacts(cell, place) } : { name: runText(row), facts: `cell ${place.column + 1} of ${row.cells}` };
  }

  private cellFacts(cell: Cell, { row }: GridPlace): string {
    const run = this.mosaic?.rows[row];
    return [run ? runText(run) : '', cellText(cell)].filter(Boolean).join(' · ');
  }

  private showCard(): void {
    const { card, names, seen } = this;
    const place = this.chosenPlace();
    const cell = seen.cell === null ? undefined : names?.all[seen.cell];
    if (!cell || !place) {
      card.hide();
      return;
    }
    const linked = this.model.get('address') !== false;
    const where = whereShown(
      { viewer: textTrait(this.model, 'viewer'), linked },
      cell.panorama,
      cell.roi,
      this.panoramas ? (this.panoramas.get(cell.panorama) ?? null) : undefined,
    );
    card.show(nameOf(cell), this.cellFacts(cell, place), where);
  }

  /** What is seen: how many of what, and what brightness means. */
  private showFacts(): void {
    const { mosaic } = this;
    if (!mosaic) return;
    const { rows, seed, clipped } = mosaic;
    const cells = rows.reduce((sum, row) => sum + row.cells, 0);
    const short = rows.filter((row) => row.cells < mosaic.columns).length;
    const facts = [
      `${grouped(cells)} cells of ${grouped(rows.length)} runs, ${short > 0 ? 'up to ' : ''}${mosaic.columns} of each`,
      seed === null ? '' : `drawn by seed ${seed}`,
    ];
    const gains = rows.flatMap(({ gain }) => (gain === null ? [] : [gain]));
    if (this.state.get('normalised') && gains.length > 0) {
      facts.push(`grey levels times ${rounded(Math.min(...gains))} to ${rounded(Math.max(...gains))}, by run`);
      if (clipped !== null && clipped > 0) facts.push(`${rounded(100 * clipped)} % of pixels in masks became white by it`);
    } else facts.push('grey levels as measured');
    this.facts.textContent = facts.filter(Boolean).join(' · ');
  }

  /** Says what is missing from the picture. */
  private showRemark(): void {
    const { names } = this;
    const [panorama, roi] = [this.state.get('panorama'), this.state.get('roi')];
    const elsewhere = names !== null && panorama !== null && roi !== null && this.seen.cell === null;
    const failed = this.gaps || this.root.dataset.names === 'failed';
    const notes = [
      elsewhere ? `${nameOf({ panorama, roi })} is none of these cells.` : '',
      this.gaps ? GAPS_NOTE : '',
      this.root.dataset.names === 'failed' ? 'The names of the cells could not be loaded.' : '',
      this.notice,
    ];
    this.remark.textContent = notes.filter(Boolean).join(' ');
    if (!failed || this.root.dataset.state !== 'ready') return;
    const again = textElement('button', 'Try again', 'nn-button nn-again');
    again.addEventListener('click', () => {
      if (this.names === null) this.askAgain();
      this.stage?.retry();
    });
    this.remark.append(' ', again);
  }

  /** The address that shows what is shown now. */
  private link(): string {
    settle();
    return location.href;
  }

  private async save(): Promise<void> {
    const { mosaic, stage } = this;
    if (!mosaic || !stage) return;
    const [from, to] = stage.rowsInView().map((at) => mosaic.rows[at]);
    if (!from || !to) return;
    const contrast = this.contrast();
    const title = from === to ? `Cells of ${runText(from)}` : `Cells of runs ${from.run} to ${to.run}, a row each from the top`;
    const lines = [this.facts.textContent, contrastText(contrast), mosaic.note].filter(Boolean);
    try {
      download(await stage.picture(contrast, title, lines), `mosaic_runs_${from.run}_to_${to.run}.png`);
      this.notice = 'The view was saved as a picture.';
    } catch {
      this.notice = 'This browser does not let the page save the picture.';
    }
    this.showRemark();
  }

  private setHeight(): void {
    const height = numberTrait(this.model, 'height');
    if (height === null) this.root.style.removeProperty('--height');
    else this.root.style.setProperty('--height', `${height}px`);
  }

  private async toggleFullScreen(): Promise<void> {
    try {
      if (this.root.matches(':fullscreen')) await document.exitFullscreen();
      else await this.root.requestFullscreen();
    } catch {
      this.notice = 'The browser does not allow full screen here.';
      this.showRemark();
    }
  }

  private tell(state: 'loading' | 'ready' | 'empty' | 'error', message: string): void {
    this.root.dataset.state = state;
    this.said.textContent = message;
    this.message.hidden = message === '';
    this.again.remove();
  }
}
