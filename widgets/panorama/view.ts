import { isAddressed } from '../shared/address';
import { measuredColumns } from '../shared/brush';
import { announce, onLead } from '../shared/linking';
import { contrastText } from '../shared/contrast';
import { textElement } from '../shared/elements';
import type { Model } from '../shared/model';
import type { ListedPanorama } from '../shared/panoramalist';
import { download } from '../shared/picture';
import { Selection } from '../shared/selection';
import { nuclei as countText } from '../shared/text';
import { noImage } from '../shared/where';
import { sameView } from '../shared/zoomstate';
import { ZoomView } from '../shared/zoomview';
import { Card } from './card';
import { factsText } from './facts';
import type { Destination } from './finding';
import { GoToField } from './gotofield';
import { legendText } from './legend';
import { MaskPanel, OPACITY, type MaskSettings } from './maskpanel';
import { pixelsOf, scaleOf, UNKNOWN, type Scale } from './measures';
import { nextMistake, type Mistake, type MistakeKind } from './mistakes';
import { LabelImages } from './labelimages';
import { Measurements } from './measurements';
import { nucleusText, whyNoCell, type Nuclei } from './nuclei';
import { pixelOf } from './palette';
import { listedPanorama, type Panorama, type PanoramaIndex } from './panoramas';
import { Ranking } from './ranking';
import { SavePanel, type Extent } from './savepanel';
import { PanoramaStage, type MaskState, type PanoramaEvents } from './stage';
import css from './style.css';
import { csvOf, nucleiIn } from './table';
import { VIEW_STATE, type ViewState } from './viewstate';

const MASK_NOTES: Partial<Record<MaskState, string>> = {
  none: 'This panorama has no masks.',
  failed: 'Masks could not be loaded; the image is shown without some or all of them.',
};
/** Width of the view of a place that is gone to, in pixels of the panorama. */
const PLACE_PX = 640;
const GAPS_NOTE = 'Parts of the image could not be loaded.';

/** Shows the panoramas of an index, one at a time, with masks over the image. The root's `data-masks` is how far the masks are. */
export class PanoramaView extends ZoomView<ViewState, PanoramaStage> {
  protected readonly card: Card;
  private readonly measurements: Measurements;
  private readonly field: GoToField;
  private readonly maskPanel: MaskPanel;
  private readonly savePanel: SavePanel;
  private index: PanoramaIndex | null = null;
  private listed: Panorama[] = [];
  /** Those listed, and the one shown where it is none of them. */
  private offered: Panorama[] = [];
  /** All that can be shown: those listed come first. */
  private known = new Map<string, Panorama>();
  /** The mistake that was gone to last. */
  private lastMistake: Mistake | null = null;
  private ranking: Ranking | null = null;
  private colouring: { nuclei: Nuclei | null; by: string | null; scale: Scale | null; colours: ((label: number) => number) | null } = {
    nuclei: null,
    by: null,
    scale: null,
    colours: null,
  };
  private readonly selection: Selection;
  /** What the panoramas of the edition have, by name; empty until that is known. */
  private edition: ReadonlyMap<string, ListedPanorama> = new Map();
  private dim: { inside: Uint8Array | null; nuclei: Nuclei | null; of: ((label: number) => boolean) | null } = { inside: null, nuclei: null, of: null };
  private labelImages: LabelImages | null = null;
  private shown: Panorama | null = null;
  /** The chosen nucleus that is on the screen. */
  private seenRoi: number | null = null;
  private cutting = new AbortController();
  /** Whether what is being loaded is to be announced once it is shown. */
  private unsaid = false;

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-panorama', css, state: VIEW_STATE, loading: 'Loading the panoramas …' }, model, host, signal);
    this.measurements = new Measurements(() => {
      this.stage?.zoom.showPointed();
      this.showRemark();
      this.showColours();
      this.showCard();
    }, signal);
    this.field = new GoToField((destination) => {
      this.goToDestination(destination);
    });
    this.maskPanel = new MaskPanel({
      change: (settings) => {
        this.change(settings);
      },
      load: () => {
        void this.measurements.load();
      },
      goToMistake: (kind) => {
        this.goToMistake(kind);
      },
    });
    this.savePanel = new SavePanel({
      picture: (extent) => {
        this.saveLarge(extent);
      },
      table: () => {
        void this.saveTable();
      },
    });
    this.card = new Card({
      step: (step) => {
        this.step(step);
      },
      zoomTo: () => {
        void this.goToNucleus(true);
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
      this.followState();
    });
    onLead(
      host,
      ({ closely, focus }) => {
        if (closely) void this.goToNucleus(true);
        if (focus) this.stage?.zoom.focus();
        this.announceShown();
      },
      signal,
    );
    announce(host, this.layer, (name) => this.find(name) !== undefined, signal);
  }

  /** Shows the panoramas of an index. */
  open(index: PanoramaIndex): void {
    this.index = index;
    this.listed = index.panoramas;
    this.known = new Map(index.panoramas.map((panorama) => [panorama.name, panorama]));
    if (this.listed.length === 0) {
      this.showMessage('empty', index.note || 'There are no panoramas in this build of the book.');
      return;
    }
    this.build(index);
    this.apply(true);
  }

  /** Waits until others matter than the first image: it is on the screen, or refused, or more than it is asked for. */
  othersMatter(): Promise<void> {
    const { root, selection, state } = this;
    return new Promise((resolve) => {
      const look = () => {
        const name = state.get('panorama');
        if (root.dataset.state === 'loading' && !selection.some && (name === null || this.known.has(name))) return;
        observer.disconnect();
        resolve();
      };
      const observer = new MutationObserver(look);
      observer.observe(root, { attributeFilter: ['data-state'] });
      state.onChange(look);
      look();
    });
  }

  /** Adds all other panoramas of an edition. */
  addListed(listed: Map<string, ListedPanorama>): void {
    this.edition = listed;
    for (const [name, panorama] of listed) {
      const shown = this.known.has(name) ? null : listedPanorama(panorama);
      if (shown) this.known.set(name, shown);
    }
    if (this.shown) this.field.show([...this.known.values()], this.shown);
    if (this.stage) this.apply(true);
  }

  override destroy(): void {
    this.cutting.abort();
    super.destroy();
  }

  private build(index: PanoramaIndex): void {
    const body = textElement('div', '', 'nn-body');
    const side = textElement('div', '', 'nn-side');
    const ranked = index.panoramas.some(({ rank }) => rank !== null);
    const ranking = new Ranking(ranked, (panorama) => {
      this.choosePanorama(panorama);
    });
    const bar = textElement('div', '', 'nn-toolbar');
    bar.append(this.field.element);
    this.root.classList.toggle('nn-single', index.panoramas.length === 1);
    this.root.prepend(bar, body);
    const stage = new PanoramaStage(body, this.panoramaEvents());
    bar.append(stage.zoom.position);
    stage.zoom.addTools([this.maskPanel, this.panel, this.savePanel]);
    this.maskPanel.openIfWide(this.root.clientWidth);
    side.append(ranking.element, this.card.element);
    // Beside the image, and before the tools for those who go by keyboard.
    stage.zoom.element.after(side);
    this.addStage(stage, index.note);
    this.ranking = ranking;
    this.labelImages = new LabelImages(stage.zoom, this.model, this.signal);
    body.before(this.labelImages.element);
  }

  private panoramaEvents(): PanoramaEvents {
    const events = this.stageEvents();
    return {
      ...events,
      ready: () => {
        events.ready();
        if (this.unsaid) this.announceShown();
      },
      masks: (state) => {
        this.root.dataset.masks = state;
        this.showRemark();
      },
      chosen: (roi) => {
        this.chooseNucleus(roi, 'push');
      },
      mistakes: () => {
        this.maskPanel.showMistakes(this.stage?.mistakes ?? null);
      },
      swipe: (swipe) => {
        this.change({ swipe });
      },
      ruler: (ruler) => {
        this.change({ ruler });
      },
      describe: (roi) => {
        void this.measurements.load();
        const nucleus = this.measurements.nuclei?.get(roi);
        return nucleus ? nucleusText(nucleus) : '';
      },
    };
  }

  private choosePanorama({ name }: Panorama): void {
    this.state.set({ panorama: name, roi: null, view: null }, 'push');
    this.apply(false);
  }

  private chooseNucleus(roi: number, change: 'push' | 'settle'): void {
    if (!this.shown) return;
    if (roi === this.state.get('roi')) {
      void this.sayChosen();
      return;
    }
    // A first look may have a view without naming a panorama; once one is named, the view has to be written as well.
    this.state.set({ panorama: this.shown.name, roi, view: this.seenView }, change);
    this.apply(false);
  }

  private goToDestination(destination: Destination): void {
    if (destination.kind === 'panorama') this.choosePanorama(destination.panorama);
    else if (destination.kind === 'nucleus') {
      this.state.set({ panorama: destination.panorama.name, roi: destination.roi, view: null }, 'push');
      this.apply(true);
      void this.goToNucleus(true);
      this.stage?.zoom.focus();
      this.announceShown();
    } else {
      const width = this.seenView?.[2] ?? Number.POSITIVE_INFINITY;
      this.stage?.goToPlace(destination.x, destination.y, Math.min(width, PLACE_PX));
    }
  }

  private goToMistake(kind: MistakeKind): void {
    const { stage } = this;
    const next = nextMistake(stage?.mistakes ?? [], kind, this.lastMistake);
    if (!stage || !next) return;
    this.lastMistake = next;
    stage.zoom.goTo([next.x, next.y, PLACE_PX]);
  }

  protected letGo(): void {
    if (this.state.get('roi') !== null) this.closeCard();
  }

  protected step(step: 1 | -1): void {
    void this.goToNext(step);
  }

  private async goToNext(step: 1 | -1): Promise<void> {
    const nuclei = await this.measurements.load();
    const roi = this.state.get('roi');
    const next = nuclei?.next(roi ?? this.stage?.atCross ?? 0, step) ?? null;
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
    // Who names another panorama does not know which part of this one is in view.
    if (this.wanted() !== this.shown && view !== null && sameView(view, this.seenView)) this.state.set({ view: null }, 'settle');
    this.apply(true);
  }

  protected apply(byOthers: boolean): void {
    const { stage, state } = this;
    const panorama = this.wanted();
    if (!stage || !panorama) return;
    const view = state.get('view');
    const another = panorama !== this.shown;
    const moved = another ? view !== null : !sameView(view, this.seenView);
    this.seenView = view;
    if (another) this.show(panorama, view);
    else if (moved) stage.zoom.goTo(view);
    if (another) this.offered = this.listed.includes(panorama) ? this.listed : [...this.listed, panorama];
    this.maskPanel.show(panorama, this.settings());
    this.showColours();
    this.maskPanel.showMistakes(state.get('truth') && panorama.truth !== null ? (stage.mistakes ?? []) : null);
    stage.ruler.show(state.get('ruler'), panorama.pxPerUm);
    this.ranking?.show(this.offered, panorama);
    this.showContrast();
    const roi = panorama.labels === null ? null : state.get('roi');
    if (another || roi !== this.seenRoi) {
      const before = this.seenRoi;
      this.seenRoi = roi;
      if (another) this.unsaid = !byOthers;
      else if (!byOthers) void this.sayChosen(before);
      stage.choose(roi ?? 0);
      this.showCard();
      if (byOthers && roi !== null && !(moved && view !== null)) void this.goToNucleus(false);
    }
    this.showRemark();
  }

  /** Announces the panorama and the nucleus shown, once they are on the screen. */
  private announceShown(): void {
    this.unsaid = this.root.dataset.state === 'loading';
    if (!this.unsaid) void this.sayChosen(null, `Panorama ${this.shown?.name ?? ''}. `);
  }

  /** Says which nucleus is chosen, or that the one `before` is no more. */
  private async sayChosen(before: number | null = null, lead = ''): Promise<void> {
    const roi = this.seenRoi;
    const nuclei = roi === null ? null : await this.measurements.load();
    if (roi !== this.seenRoi) return;
    const kind = roi === null ? null : (nuclei?.get(roi)?.kind ?? null);
    const chosen = roi === null ? (before === null ? '' : `ROI ${before} let go.`) : `ROI ${roi} chosen${kind === null ? '' : `, ${kind}`}.`;
    this.stage?.zoom.say(`${lead}${chosen}`);
  }

  private settings(): MaskSettings {
    const { state } = this;
    return {
      masks: state.get('masks'),
      opacity: state.get('opacity'),
      by: state.get('by'),
      truth: state.get('truth'),
      swipe: state.get('swipe'),
    };
  }

  /** Colours the masks as the state says, once the table that they are coloured by is there. */
  private showColours(): void {
    const { stage, maskPanel, measurements } = this;
    const { masks, opacity, by, truth, swipe } = this.settings();
    if (by !== null) void measurements.load();
    const { nuclei } = measurements;
    const changed = this.colouring.nuclei !== nuclei || this.colouring.by !== by;
    if (changed) {
      const scale = nuclei && by !== null ? scaleOf(nuclei, by) : null;
      const pixels = nuclei && by !== null && scale ? pixelsOf(nuclei, by, scale) : null;
      const unknown = pixelOf(UNKNOWN);
      this.colouring = { nuclei, by, scale, colours: pixels && ((label) => pixels.get(label) ?? unknown) };
    }
    const { scale, colours } = this.colouring;
    maskPanel.showColours(nuclei, by, scale);
    const style = masks === 'off' ? null : masks;
    stage?.setLook({ style, opacity: opacity ?? OPACITY[style ?? 'fill'], colours, dim: this.dimmed(), truth, swipe });
    if (changed && this.seenRoi !== null) this.showCard();
  }

  /** Which masks are dim: those of nuclei that are not selected, where something is selected on the page. */
  private dimmed(): ((label: number) => boolean) | null {
    const { edition, measurements, selection, shown } = this;
    if (!shown) return null;
    if (selection.some) void measurements.load();
    const nuclei = selection.some ? measurements.nuclei : null;
    const count = nuclei?.all.length ?? 0;
    selection.decide(shown.name, count, nuclei && {
      ...measuredColumns(count, (name) => nuclei.columns.get(name)),
      panoramas: { names: [shown.name], codes: new Uint16Array(count).fill(1) },
      listed: edition,
      cells: Uint8Array.from(nuclei.all, (nucleus) => (whyNoCell(nucleus, shown) === null ? 1 : 0)),
    });
    const { inside } = selection;
    if (inside !== this.dim.inside || nuclei !== this.dim.nuclei) {
      this.dim = { inside, nuclei, of: inside && nuclei && ((label) => inside[nuclei.placeOf(label)] !== 1) };
    }
    return this.dim.of;
  }

  private show(panorama: Panorama, view: number[] | null): void {
    const slowly = this.shown === null && this.model.get('approach') === true && this.linked && !isAddressed(this.model);
    this.shown = panorama;
    this.gaps = false;
    this.notice = '';
    this.lastMistake = null;
    this.measurements.of(panorama);
    this.field.show([...this.known.values()], panorama);
    this.savePanel.show(panorama);
    this.showMessage('loading', 'Loading the image …');
    this.facts.replaceChildren(textElement('strong', panorama.name), ` · ${factsText(panorama, this.listed.length)}`);
    this.stage?.open(panorama, view, slowly);
    this.labelImages?.show(panorama.name, this.index?.address ?? '');
  }

  /** Shows the chosen nucleus with what is known of it by now. */
  private showCard(): void {
    const { card, shown, stage } = this;
    const roi = this.seenRoi;
    this.root.toggleAttribute('data-roi', roi !== null);
    if (roi === null || !shown || !stage) {
      this.cutting.abort();
      card.hide();
      return;
    }
    const { nuclei } = this.measurements;
    const nucleus = nuclei?.get(roi) ?? null;
    card.show(roi, nucleus, stage.colourOf(roi), shown.pxPerUm, nuclei, this.state.get('by'));
    if (nuclei && !nucleus) {
      this.cutting.abort();
      card.showCell(`There is no nucleus with the number ${roi} here.`);
      return;
    }
    this.cutting.abort();
    this.cutting = new AbortController();
    void this.cutCell(shown, roi, this.cutting.signal);
  }

  private async cutCell(panorama: Panorama, roi: number, signal: AbortSignal): Promise<void> {
    const { card, measurements, stage } = this;
    try {
      const nuclei = await measurements.load();
      signal.throwIfAborted();
      const nucleus = nuclei?.get(roi) ?? null;
      const cell = (nucleus && whyNoCell(nucleus, panorama)) ?? (await stage?.cell(roi, nucleus, signal));
      signal.throwIfAborted();
      card.showCell(cell ?? 'There is no cell image of it.');
      card.colour(stage?.colourOf(roi) ?? '');
    } catch {
      if (!signal.aborted) card.showCell('The cell image could not be loaded.');
    }
  }

  private find(name: string): Panorama | undefined {
    return this.known.get(name);
  }

  /** The panorama that the state names, or else the first. */
  private wanted(): Panorama | undefined {
    const name = this.state.get('panorama');
    if (name === null && this.chosenElsewhere() !== null) return this.shown ?? this.listed[0];
    return (name === null ? undefined : this.find(name)) ?? this.listed[0];
  }

  /** Shows what is missing from the picture. */
  protected showRemark(): void {
    const { shown } = this;
    const name = this.state.get('panorama');
    const mask = MASK_NOTES[this.root.dataset.masks as MaskState] ?? '';
    const elsewhere = this.chosenElsewhere();
    const remarks = [
      elsewhere ? [`${elsewhere.panorama} was chosen. `, ...noImage(elsewhere.layer, null)] : '',
      name !== null && shown && name !== shown.name ? `“${name}” cannot be shown here; this is ${shown.name}.` : '',
      this.selection.remark,
      shown?.preview ? previewText(shown) : mask,
      this.gaps ? GAPS_NOTE : '',
      this.measurements.problem,
      this.notice,
    ];
    const failed = this.gaps || this.root.dataset.masks === 'failed' || this.measurements.problem !== '';
    const retry = () => {
      this.measurements.retry();
      this.stage?.retry();
      this.showCard();
      this.showRemark();
    };
    this.showRemarks(remarks, failed ? retry : null);
  }

  protected save(): void {
    const { shown, stage } = this;
    if (!shown || !stage) return;
    const { title, lines } = this.captionOf(shown, true);
    const name = `${[shown.name, ...(this.seenView ?? []).map(Math.round)].join('_')}.png`;
    void this.savePicture(stage.picture(this.contrast(), title, lines), name);
  }

  private saveLarge(extent: Extent): void {
    const { shown, stage } = this;
    if (!shown || !stage) return;
    const { title, lines } = this.captionOf(shown, !extent.whole);
    const part = extent.whole ? ['whole', extent.shrink] : [...(this.seenView ?? []).map(Math.round), 'full'];
    this.notice = 'Putting the picture together …';
    this.showRemark();
    void this.savePicture(stage.largePicture(extent, this.contrast(), title, lines), `${[shown.name, ...part].join('_')}.png`);
  }

  private async saveTable(): Promise<void> {
    const { shown, stage } = this;
    const view = stage?.zoom.view(false);
    const nuclei = await this.measurements.load();
    if (!shown || !view || !nuclei) return;
    const rows = nucleiIn(nuclei, { x: view.x, y: view.y, width: view.width / view.scale, height: view.height / view.scale });
    download(new Blob([csvOf(shown.name, nuclei, rows, shown.pxPerUm)], { type: 'text/csv' }), `${[shown.name, ...(this.seenView ?? []).map(Math.round), 'nuclei'].join('_')}.csv`);
    this.notice = `${countText(rows.length)} in view ${rows.length === 1 ? 'was' : 'were'} saved as a table.`;
    this.showRemark();
  }

  /** What is written below a picture of the panorama. */
  private captionOf(shown: Panorama, ofView: boolean): { title: string; lines: string[] } {
    const [x, y] = this.seenView ?? [];
    const { by, scale } = this.colouring;
    const roi = this.seenRoi === null ? '' : `, ROI ${this.seenRoi}`;
    const lines = [factsText(shown, this.listed.length), contrastText(this.contrast()), this.pictureNote(this.index?.note ?? '')];
    if (by !== null && scale) lines.splice(1, 0, legendText(by, scale));
    if (ofView && x !== undefined && y !== undefined) lines.splice(1, 0, `Middle of the view at ${Math.round(x)}, ${Math.round(y)} px`);
    return { title: `Panorama ${shown.name}${roi}`, lines: lines.filter(Boolean) };
  }
}

function previewText({ width }: Panorama): string {
  const size = width > 0 ? `at 1/${Math.max(1, Math.round(width / PREVIEW_PX))} size` : 'at reduced size';
  return `Preview ${size}; no masks.`;
}

/** The longest side of a preview. */
const PREVIEW_PX = 768;
