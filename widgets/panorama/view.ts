import { settle, stateOf, type State } from '../shared/address';
import { followTheme } from '../shared/appearance';
import { contrastText, isPlain, type Contrast } from '../shared/contrast';
import { ContrastPanel } from '../shared/contrastpanel';
import { contrastOf, contrastState } from '../shared/contraststate';
import { textElement } from '../shared/elements';
import { keepKeys } from '../shared/host';
import baseCss from '../shared/base.css';
import imageCss from '../shared/image.css';
import { announce } from '../shared/linking';
import { numberTrait, onTrait, type Model } from '../shared/model';
import type { ListedPanorama } from '../shared/panoramalist';
import { download } from '../shared/picture';
import { Problem } from '../shared/problem';
import zoomCss from '../shared/zoom.css';
import { sameView } from '../shared/zoomstate';
import { Card } from './card';
import { factsText } from './facts';
import { Measurements } from './measurements';
import { nucleusText } from './nuclei';
import { previewOf, type Panorama, type PanoramaIndex } from './panoramas';
import { Ranking } from './ranking';
import { Stage, type MaskState, type StageEvents } from './stage';
import css from './style.css';
import { OPACITY, Toolbar } from './toolbar';
import { VIEW_STATE, type ViewState } from './viewstate';

const MASK_NOTES: Partial<Record<MaskState, string>> = {
  none: 'This panorama has no masks.',
  failed: 'Masks could not be loaded; the image is shown without some or all of them.',
};
const GAPS_NOTE = 'Parts of the image could not be loaded.';

/**
 * Shows the panoramas of an index, one at a time, with masks over the image.
 *
 * What the reader does changes the state, and what is shown follows the state. The root's `data-state` is `loading`,
 * `ready`, `empty` or `error`, its `data-masks` how far the masks are.
 */
export class PanoramaView {
  readonly root = document.createElement('div');
  private readonly style = document.createElement('style');
  private readonly facts = textElement('p', '', 'nn-facts');
  private readonly remark = textElement('p', '', 'nn-remark');
  private readonly message = document.createElement('div');
  private readonly said = textElement('p', '');
  private readonly again = textElement('button', 'Try again', 'nn-button nn-again') as HTMLButtonElement;
  private readonly state: State<ViewState>;
  private readonly measurements: Measurements;
  private readonly card: Card;
  private readonly panel: ContrastPanel;
  private readonly toolbar: Toolbar;
  private index: PanoramaIndex | null = null;
  private listed: Panorama[] = [];
  /** Those listed, and the one shown where it is none of them. */
  private offered: Panorama[] = [];
  private readonly previews = new Map<string, Panorama>();
  private stage: Stage | null = null;
  private ranking: Ranking | null = null;
  private shown: Panorama | null = null;
  /** What of the state is on the screen: it is only moved where the state has changed. */
  private seen: { view: number[] | null; roi: number | null } = { view: null, roi: null };
  private cutting = new AbortController();
  private gaps = false;
  private notice = '';

  constructor(
    private readonly model: Model,
    host: HTMLElement,
    signal: AbortSignal,
  ) {
    this.style.textContent = baseCss + imageCss + zoomCss + css;
    this.root.className = 'nn-view nn-zoom nn-panorama';
    if (model.get('address') === false) keepKeys(this.root);
    this.message.className = 'nn-message';
    this.message.setAttribute('role', 'status');
    this.remark.setAttribute('role', 'status');
    this.again.type = 'button';
    this.message.append(this.said);
    followTheme(this.root, signal);
    this.setHeight();
    this.tell('loading', 'Loading the panoramas …');
    this.root.append(this.message);
    host.append(this.style, this.root);
    this.state = stateOf(model, VIEW_STATE, signal);
    this.measurements = new Measurements(() => {
      this.stage?.refresh();
      this.showRemark();
      this.showCard();
    }, signal);
    this.toolbar = new Toolbar({
      choose: (panorama) => {
        this.choosePanorama(panorama);
      },
      masks: (masks, opacity) => {
        this.change({ masks, opacity });
      },
      contrast: (open) => {
        this.panel.element.hidden = !open;
        this.countLevels();
      },
    });
    this.panel = new ContrastPanel((contrast) => {
      this.change(contrastState(contrast));
    });
    this.card = new Card({
      step: (step) => {
        void this.step(step);
      },
      zoomTo: () => {
        void this.goToNucleus(true);
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
      this.followState();
    });
    announce(host, (name) => this.find(name) !== undefined, signal);
  }

  /** Shows the panoramas of an index. */
  open(index: PanoramaIndex): void {
    this.index = index;
    this.listed = index.panoramas;
    if (this.listed.length === 0) {
      this.tell('empty', index.note || 'There are no panoramas in this edition of the book.');
      return;
    }
    this.build(index);
    this.apply(true);
  }

  /** Adds panoramas that have no pyramid. */
  addPreviews(listed: Map<string, ListedPanorama>): void {
    for (const [name, panorama] of listed) {
      const preview = previewOf(panorama);
      if (preview) this.previews.set(name, preview);
    }
    if (this.stage) this.apply(true);
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
    this.cutting.abort();
    this.stage?.destroy();
    this.root.remove();
    this.style.remove();
  }

  private build(index: PanoramaIndex): void {
    const fullScreen = () => {
      void this.toggleFullScreen();
    };
    const body = document.createElement('div');
    body.className = 'nn-body';
    const side = document.createElement('div');
    side.className = 'nn-side';
    const ranked = index.panoramas.some(({ rank }) => rank !== null);
    const ranking = new Ranking(ranked, (panorama) => {
      this.choosePanorama(panorama);
    });
    this.root.classList.toggle('nn-single', index.panoramas.length === 1);
    this.root.prepend(this.toolbar.element, this.panel.element, body);
    const stage = new Stage(body, this.stageEvents(), document.fullscreenEnabled ? fullScreen : null);
    side.append(ranking.element, this.card.element);
    body.append(side);
    stage.element.append(this.message);
    const caption = document.createElement('div');
    caption.className = 'nn-caption';
    caption.append(this.facts, this.remark);
    if (index.note) caption.append(textElement('p', index.note, 'nn-note'));
    this.root.append(caption);
    this.root.addEventListener('fullscreenchange', () => {
      stage.setFullScreen(this.root.matches(':fullscreen'));
    });
    this.stage = stage;
    this.ranking = ranking;
  }

  private stageEvents(): StageEvents {
    return {
      ready: () => {
        this.tell('ready', '');
        this.showRemark();
      },
      imageFailed: (problem) => {
        this.fail(problem, () => this.stage?.retry());
      },
      gaps: (some) => {
        this.gaps = some;
        this.showRemark();
      },
      masks: (state) => {
        this.root.dataset.masks = state;
        this.showRemark();
      },
      rested: (view) => {
        this.countLevels();
        if (sameView(view, this.seen.view)) return;
        this.seen.view = view;
        this.state.set({ view }, 'settle');
      },
      chosen: (roi) => {
        this.chooseNucleus(roi, 'push');
      },
      step: (step) => {
        void this.step(step);
      },
      escape: () => {
        this.letGo();
      },
      save: () => {
        void this.save();
      },
      describe: (roi) => {
        void this.measurements.load();
        const nucleus = this.measurements.nuclei?.get(roi);
        return nucleus ? nucleusText(nucleus) : '';
      },
    };
  }

  /** Changes the state as the reader wishes, and shows it. */
  private change(values: Partial<ViewState>): void {
    this.state.set(values, 'settle');
    this.apply(false);
  }

  private choosePanorama({ name }: Panorama): void {
    this.state.set({ panorama: name, roi: null, view: null }, 'push');
    this.apply(false);
  }

  private chooseNucleus(roi: number, change: 'push' | 'settle'): void {
    if (!this.shown || roi === this.state.get('roi')) return;
    this.state.set({ panorama: this.shown.name, roi }, change);
    this.apply(false);
  }

  private letGo(): void {
    if (this.state.get('roi') === null) return;
    const within = this.card.element.contains((this.root.getRootNode() as ShadowRoot | Document).activeElement);
    this.change({ roi: null });
    if (within) this.stage?.focus();
  }

  /** Goes from the chosen nucleus to the next or the previous one. */
  private async step(step: 1 | -1): Promise<void> {
    const nuclei = await this.measurements.load();
    const roi = this.state.get('roi');
    const next = nuclei?.next(roi ?? 0, step) ?? null;
    if (next === null) return;
    // One step back leads out of however many were looked at.
    this.chooseNucleus(next, roi === null ? 'push' : 'settle');
    await this.goToNucleus(false);
  }

  private async goToNucleus(closely: boolean): Promise<void> {
    const roi = this.state.get('roi');
    if (roi === null) return;
    const nuclei = await this.measurements.load();
    await this.stage?.goToNucleus(roi, nuclei?.get(roi) ?? null, closely);
  }

  /** Someone else changed the state: another view, Back, or the host. */
  private followState(): void {
    if (!this.stage) return;
    const view = this.state.get('view');
    // Who names another panorama does not know that this view stands somewhere.
    if (this.wanted() !== this.shown && view !== null && sameView(view, this.seen.view)) this.state.set({ view: null }, 'settle');
    this.apply(true);
  }

  /** Shows what the state says. */
  private apply(byOthers: boolean): void {
    const { stage, state } = this;
    const panorama = this.wanted();
    if (!stage || !panorama) return;
    const view = state.get('view');
    const another = panorama !== this.shown;
    const moved = another ? view !== null : !sameView(view, this.seen.view);
    this.seen.view = view;
    const [masks, opacity] = [state.get('masks'), state.get('opacity')];
    stage.setMasks(masks === 'off' ? null : masks, opacity ?? OPACITY[masks === 'off' ? 'fill' : masks]);
    if (another) this.show(panorama, view);
    else if (moved) stage.goTo(view);
    if (another) this.offered = this.listed.includes(panorama) ? this.listed : [...this.listed, panorama];
    this.toolbar.show(this.offered, panorama, masks, opacity);
    this.ranking?.show(this.offered, panorama);
    this.showContrast();
    const roi = panorama.labels === null ? null : state.get('roi');
    if (another || roi !== this.seen.roi) {
      this.seen.roi = roi;
      stage.choose(roi ?? 0);
      this.showCard();
      if (byOthers && roi !== null && !(moved && view !== null)) void this.goToNucleus(false);
    }
    this.showRemark();
  }

  private show(panorama: Panorama, view: number[] | null): void {
    this.shown = panorama;
    this.gaps = false;
    this.notice = '';
    this.measurements.of(panorama);
    this.tell('loading', 'Loading the image …');
    this.facts.textContent = factsText(panorama, this.listed.length);
    this.stage?.open(panorama, view);
  }

  private showContrast(): void {
    const contrast = this.contrast();
    this.stage?.setContrast(contrast);
    this.panel.show(contrast);
    this.toolbar.setContrast(isPlain(contrast));
  }

  private contrast(): Contrast {
    const { state } = this;
    return contrastOf({ contrast: state.get('contrast'), invert: state.get('invert'), colour: state.get('colour') });
  }

  private countLevels(): void {
    if (this.stage && !this.panel.element.hidden) this.panel.count(this.stage.levels());
  }

  /** Shows the chosen nucleus with what is known of it by now. */
  private showCard(): void {
    const { card, shown, stage } = this;
    const { roi } = this.seen;
    this.root.toggleAttribute('data-roi', roi !== null);
    if (roi === null || !shown || !stage) {
      this.cutting.abort();
      card.hide();
      return;
    }
    const { nuclei } = this.measurements;
    const nucleus = nuclei?.get(roi) ?? null;
    card.show(roi, nucleus, stage.colourOf(roi), shown.pxPerUm, nuclei?.all.length ?? null);
    if (nuclei && !nucleus) {
      this.cutting.abort();
      card.showCell(`There is no nucleus with the number ${roi} here.`);
      return;
    }
    this.cutting.abort();
    this.cutting = new AbortController();
    void this.cutCell(roi, this.cutting.signal);
  }

  private async cutCell(roi: number, signal: AbortSignal): Promise<void> {
    const { card, measurements, stage } = this;
    try {
      const nuclei = await measurements.load();
      signal.throwIfAborted();
      const cell = await stage?.cell(roi, nuclei?.get(roi) ?? null, signal);
      signal.throwIfAborted();
      card.showCell(cell ?? 'There is no cell image of it.');
      card.colour(stage?.colourOf(roi) ?? '');
    } catch {
      if (!signal.aborted) card.showCell('The cell image could not be loaded.');
    }
  }

  private find(name: string): Panorama | undefined {
    return this.listed.find((panorama) => panorama.name === name) ?? this.previews.get(name);
  }

  /** The panorama that the state names, or else the first. */
  private wanted(): Panorama | undefined {
    const name = this.state.get('panorama');
    return (name === null ? undefined : this.find(name)) ?? this.listed[0];
  }

  /** Says what is missing from the picture. */
  private showRemark(): void {
    const { shown } = this;
    const name = this.state.get('panorama');
    const mask = MASK_NOTES[this.root.dataset.masks as MaskState] ?? '';
    const notes = [
      name !== null && shown && name !== shown.name ? `“${name}” cannot be shown here; this is ${shown.name}.` : '',
      shown?.preview ? previewText(shown) : mask,
      this.gaps ? GAPS_NOTE : '',
      this.measurements.problem,
      this.notice,
    ];
    this.remark.textContent = notes.filter(Boolean).join(' ');
    const failed = this.gaps || this.root.dataset.masks === 'failed' || this.measurements.problem !== '';
    if (!failed || this.root.dataset.state !== 'ready') return;
    const again = textElement('button', 'Try again', 'nn-button nn-again');
    again.addEventListener('click', () => {
      this.measurements.retry();
      this.stage?.retry();
      this.showCard();
      this.showRemark();
    });
    this.remark.append(' ', again);
  }

  /** The address that shows what is shown now. */
  private link(): string {
    settle();
    return location.href;
  }

  private async save(): Promise<void> {
    const { shown, stage } = this;
    if (!shown || !stage) return;
    const [x, y] = this.seen.view ?? [];
    const contrast = this.contrast();
    const roi = this.seen.roi === null ? '' : `, ROI ${this.seen.roi}`;
    const title = `Panorama ${shown.name}${roi}`;
    const lines = [factsText(shown, this.listed.length), contrastText(contrast), this.index?.note ?? ''];
    if (x !== undefined && y !== undefined) lines.splice(1, 0, `Middle of the view at ${Math.round(x)}, ${Math.round(y)} px`);
    try {
      const blob = await stage.picture(contrast, title, lines.filter(Boolean));
      download(blob, `${[shown.name, ...(this.seen.view ?? []).map(Math.round)].join('_')}.png`);
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

function previewText({ width }: Panorama): string {
  const size = width > 0 ? `at 1/${Math.max(1, Math.round(width / PREVIEW_PX))} size` : 'at reduced size';
  return `Preview ${size}; no masks.`;
}

/** The longest side of a preview. */
const PREVIEW_PX = 768;
