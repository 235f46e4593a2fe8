import { contrastText } from '../shared/contrast';
import { textElement } from '../shared/elements';
import type { Model } from '../shared/model';
import { measuredColumns, type Known } from '../shared/brush';
import type { ListedPanorama } from '../shared/panoramalist';
import { Selection } from '../shared/selection';
import { grouped, nameOf, rounded } from '../shared/text';
import { whereShown } from '../shared/where';
import { sameView } from '../shared/zoomstate';
import { ZoomView } from '../shared/zoomview';
import { Card } from './card';
import { indexOf, nextPlace, placeOf, runText, type GridPlace, type Mosaic } from './mosaic';
import { MOSAIC_STATE, type MosaicState } from './mosaicstate';
import { cellText, type Cell, type Names } from './names';
import { MosaicStage } from './stage';
import css from './style.css';
import { Toolbar } from './toolbar';

const GAPS_NOTE = 'Parts of the mosaic could not be loaded.';

/**
 * Shows a mosaic of cells, a run in each row.
 *
 * The root's `data-names` says whether the names of the cells are there: `loading`, `ready` or `failed`.
 */
export class MosaicView extends ZoomView<MosaicState, MosaicStage> {
  protected readonly card: Card;
  private toolbar: Toolbar | null = null;
  private mosaic: Mosaic | null = null;
  private names: Names | null = null;
  private panoramas: Map<string, ListedPanorama> | null = null;
  private readonly selection: Selection;
  /** What decides on whether cells are selected, but for what is known of their panoramas. */
  private measured: Omit<Known, 'listed'> | null = null;
  /** The chosen cell that is on the screen. */
  private seenCell: number | null = null;
  private askAgain: () => void = () => undefined;

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-mosaic', css, state: MOSAIC_STATE, loading: 'Loading the mosaic …' }, model, host, signal);
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
      link: this.linked ? () => this.link() : null,
    });
    this.selection = new Selection(this.state, () => {
      this.apply(false);
      this.stage?.zoom.focus();
    });
    this.state.onChange(() => {
      if (this.stage) this.apply(true);
    });
  }

  /** Shows a mosaic; `askAgain` asks for what of its names and panoramas could not be loaded. */
  open(mosaic: Mosaic, askAgain: () => void): void {
    this.mosaic = mosaic;
    this.askAgain = askAgain;
    if (mosaic.rows.length === 0) {
      this.showMessage('empty', `${mosaic.note} Without cells there is no mosaic of them.`.trim());
      return;
    }
    this.root.dataset.names = 'loading';
    this.build(mosaic);
    this.apply(true);
    this.stage?.open(this.seenView);
  }

  /** Adds the names of the cells; null where they could not be loaded. */
  setNames(names: Names | null): void {
    this.names = names;
    this.measured = names && { ...measuredColumns(names.all.length, names.column), panoramas: panoramasOf(names.all) };
    this.root.dataset.names = names ? 'ready' : 'failed';
    this.apply(true);
    this.stage?.zoom.showPointed();
  }

  setPanoramas(panoramas: Map<string, ListedPanorama>): void {
    this.panoramas = panoramas;
    this.apply(true);
  }

  private build(mosaic: Mosaic): void {
    this.toolbar = new Toolbar(mosaic.normalised !== null, (normalised) => {
      this.change({ normalised });
    });
    const body = textElement('div', '', 'nn-body');
    this.root.prepend(this.toolbar.element, body, this.card.element);
    const events = {
      ...this.stageEvents(),
      chosen: (place: GridPlace) => {
        this.choose(indexOf(mosaic, place), 'push');
      },
      describe: (place: GridPlace) => this.describe(place),
    };
    const stage = new MosaicStage(body, mosaic, this.state.get('normalised'), events);
    stage.zoom.addTools([this.panel]);
    this.addStage(stage, mosaic.note);
  }

  private choose(at: number, change: 'push' | 'settle'): void {
    const cell = this.names?.all[at];
    if (!cell) return;
    if (at === this.seenCell) {
      this.stage?.zoom.say(`${nameOf(cell)} chosen.`);
      return;
    }
    this.state.set({ panorama: cell.panorama, roi: cell.roi }, change);
    this.apply(false);
  }

  protected letGo(): void {
    if (this.seenCell !== null) this.closeCard();
  }

  protected step(step: 1 | -1): void {
    const { mosaic } = this;
    const place = mosaic && nextPlace(mosaic, this.chosenPlace() ?? this.stage?.atCross ?? null, step);
    if (!place || !this.names) return;
    // One step back leads out of however many were looked at.
    this.choose(indexOf(mosaic, place), this.seenCell === null ? 'push' : 'settle');
    this.stage?.goToCell(place, false);
  }

  private chosenPlace(): GridPlace | null {
    const { mosaic, seenCell } = this;
    return mosaic && seenCell !== null ? placeOf(mosaic, seenCell) : null;
  }

  protected apply(byOthers: boolean): void {
    const { stage, state, toolbar, names } = this;
    if (!stage || !toolbar) return;
    const view = state.get('view');
    const moved = !sameView(view, this.seenView);
    this.seenView = view;
    toolbar.show(state.get('normalised'));
    this.showContrast();
    stage.setNormalised(state.get('normalised'));
    if (moved) stage.zoom.goTo(view);
    const cell = names?.find(state.get('panorama'), state.get('roi')) ?? null;
    if (cell !== this.seenCell) {
      const named = names?.all[cell ?? this.seenCell ?? -1];
      this.seenCell = cell;
      if (!byOthers && named) stage.zoom.say(`${nameOf(named)} ${cell === null ? 'let go' : 'chosen'}.`);
      const place = this.chosenPlace();
      stage.choose(place);
      if (byOthers && place && !(moved && view !== null)) stage.goToCell(place, false);
    }
    this.showSelection();
    this.showCard();
    this.showFacts();
    this.showRemark();
  }

  /** Dims the cells that are not selected where something is selected on the page. */
  private showSelection(): void {
    const { measured, panoramas, selection, stage } = this;
    selection.decide('', this.names?.all.length ?? 0, measured && { ...measured, listed: panoramas ?? new Map() });
    stage?.setSelected(selection.inside);
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
    const { card, names, seenCell } = this;
    const place = this.chosenPlace();
    const cell = seenCell === null ? undefined : names?.all[seenCell];
    if (!cell || !place) {
      card.hide();
      return;
    }
    const where = whereShown(
      this.around,
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
    const { rows, seed, clipped, saturated } = mosaic;
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
      if (saturated !== null && saturated > 0) facts.push(`${grouped(saturated)} ${saturated === 1 ? 'cell was' : 'cells were'} saturated as measured`);
    } else facts.push('grey levels as measured');
    this.facts.textContent = facts.filter(Boolean).join(' · ');
  }

  /** Shows what is missing from the picture. */
  protected showRemark(): void {
    const { names } = this;
    const [panorama, roi] = [this.state.get('panorama'), this.state.get('roi')];
    const elsewhere = names !== null && panorama !== null && roi !== null && this.seenCell === null;
    const failed = this.gaps || this.root.dataset.names === 'failed';
    const remarks = [
      this.selection.remark,
      elsewhere ? `${nameOf({ panorama, roi })} is none of these cells.` : '',
      this.gaps ? GAPS_NOTE : '',
      this.root.dataset.names === 'failed' ? 'The names of the cells could not be loaded.' : '',
      this.notice,
    ];
    const retry = () => {
      if (this.names === null) this.askAgain();
      this.stage?.retry();
    };
    this.showRemarks(remarks, failed ? retry : null);
  }

  protected save(): void {
    const { mosaic, stage } = this;
    if (!mosaic || !stage) return;
    const [from, to] = stage.rowsInView().map((at) => mosaic.rows[at]);
    if (!from || !to) return;
    const contrast = this.contrast();
    const title = from === to ? `Cells of ${runText(from)}` : `Cells of runs ${from.run} to ${to.run}, a row each from the top`;
    const lines = [this.facts.textContent, contrastText(contrast), this.pictureNote(mosaic.note)].filter(Boolean);
    void this.savePicture(stage.zoom.picture(contrast, [], title, lines), `mosaic_runs_${from.run}_to_${to.run}.png`);
  }
}

/** The panoramas that cells are of. */
function panoramasOf(cells: readonly Cell[]): Known['panoramas'] {
  const codes = new Map<string, number>();
  for (const { panorama } of cells) if (!codes.has(panorama)) codes.set(panorama, codes.size + 1);
  return { names: [...codes.keys()], codes: Uint16Array.from(cells, ({ panorama }) => codes.get(panorama) ?? 0) };
}
