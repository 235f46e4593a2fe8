import type { Shared } from './address';
import { BaseView, type ViewKind } from './baseview';
import { ContrastPanel } from './contrastpanel';
import { contrastOf, contrastState, type ContrastState } from './contraststate';
import type { Contrast } from './contrast';
import { againButton, textButton, textElement } from './elements';
import { followFullScreen, NO_FULL_SCREEN, toggledFullScreen } from './fullscreen';
import imageCss from './image.css';
import type { Model } from './model';
import { download, TooLarge } from './picture';
import zoomCss from './zoom.css';
import type { StageEvents, ZoomStage } from './zoomstage';
import { sameView } from './zoomstate';

/** The state of a view that zooms into an image. */
export interface ZoomState extends Shared, ContrastState {
  /** Centre (x, y) and width of what is seen, in pixels of the image; null shows all of it. */
  view: number[] | null;
}

/** A stage as its view has it. */
interface Stage {
  readonly zoom: ZoomStage;
  retry(): void;
  destroy(): void;
}

/**
 * What views that zoom into an image have in common: a stage with an image, its contrast, a card of what is chosen in it,
 * a caption with remarks, and full screen.
 *
 * What the reader does changes the state, and what is shown follows the state.
 */
export abstract class ZoomView<Values extends ZoomState, OwnStage extends Stage> extends BaseView<Values> {
  protected readonly facts = textElement('p', '', 'nn-facts');
  protected readonly panel: ContrastPanel;
  protected stage: OwnStage | null = null;
  /** The view that is on the screen: the stage is only moved where the state has another. */
  protected seenView: number[] | null = null;
  protected gaps = false;
  protected notice = '';
  private readonly remark = textElement('p', '', 'nn-remark');
  private remarked = '';

  constructor(kind: ViewKind<Values>, model: Model, host: HTMLElement, signal: AbortSignal) {
    const { className, css } = kind;
    super({ ...kind, className: `nn-zoom ${className}`, css: imageCss + zoomCss + css }, model, host, signal);
    this.remark.setAttribute('role', 'status');
    this.panel = new ContrastPanel(
      (contrast) => {
        this.change(contrastState(contrast) as Partial<Values>);
      },
      () => this.stage?.zoom.levels() ?? null,
    );
  }

  override destroy(): void {
    this.stage?.destroy();
    super.destroy();
  }

  protected abstract readonly card: { element: HTMLElement };

  /** Shows what the state says; `byOthers` where it was not changed in this view. */
  protected abstract apply(byOthers: boolean): void;

  /** Goes from what is chosen to the next or the previous one. */
  protected abstract step(step: 1 | -1): void;

  /** Drops the choice. */
  protected abstract letGo(): void;

  protected abstract save(): void;

  protected abstract showRemark(): void;

  /** Changes the state as the reader wishes, and shows it. */
  protected change(values: Partial<Values>): void {
    this.state.set(values, 'settle');
    this.apply(false);
  }

  protected contrast(): Contrast {
    const { state } = this;
    return contrastOf({ contrast: state.get('contrast'), invert: state.get('invert'), colour: state.get('colour') });
  }

  /** Shows the contrast of the state, on the stage and in the panel. */
  protected showContrast(): void {
    const contrast = this.contrast();
    this.stage?.zoom.setContrast(contrast);
    this.panel.show(contrast);
  }

  /** Goes to the view of the state, where another is on the screen. */
  protected followView(): void {
    const view = this.state.get('view');
    if (this.stage?.zoom.isOpen !== true || sameView(view, this.seenView)) return;
    this.seenView = view;
    this.stage.zoom.goTo(view);
  }

  /** Chooses nothing any more; the keyboard goes back to the image where it was on the card. */
  protected closeCard(): void {
    const within = this.card.element.contains((this.root.getRootNode() as ShadowRoot | Document).activeElement);
    this.change({ roi: null } as Partial<Values>);
    if (within) this.stage?.zoom.focus();
  }

  /** Puts the stage in its place, with the message over it, and the caption below. */
  protected addStage(stage: OwnStage, note: string): void {
    this.stage = stage;
    stage.zoom.element.append(this.message);
    const caption = textElement('div', '', 'nn-caption');
    caption.append(this.facts, this.remark);
    const said = this.captionNote(note);
    if (said) caption.append(textElement('p', said, 'nn-note'));
    this.root.append(caption);
    this.placeLeading();
    followFullScreen(this.root, (full) => {
      stage.zoom.setFullScreen(full);
    });
  }

  /** Opens an image at the view of the state; one that another host has, once the reader asks for it. */
  protected openOnRequest(foreign: string | null, open: (view: number[] | null) => void): void {
    const start = () => {
      this.showMessage('loading', 'Loading the image …');
      this.seenView = this.state.get('view');
      open(this.seenView);
    };
    if (foreign === null) start();
    else this.showMessage('empty', `The image is on ${foreign}. Your browser asks that host for it once you open it.`, textButton(`Open from ${foreign}`, start));
  }

  protected stageEvents(): StageEvents {
    return {
      ready: () => {
        this.showReady();
        this.showRemark();
      },
      failed: (problem) => {
        this.fail(problem, () => this.stage?.retry());
      },
      gaps: (some) => {
        this.gaps = some;
        this.showRemark();
      },
      rested: (view) => {
        this.panel.count();
        if (sameView(view, this.seenView)) return;
        this.seenView = view;
        this.state.set({ view } as Partial<Values>, 'settle');
      },
      step: (step) => {
        this.step(step);
      },
      escape: () => {
        this.letGo();
      },
      save: () => {
        this.save();
      },
      fullScreen: document.fullscreenEnabled ? () => void this.toggleFullScreen() : null,
    };
  }

  /** Shows remarks below the image; `retry` asks again for what is missing from it, where something is. */
  protected showRemarks(remarks: (string | (string | Node)[])[], retry: (() => void) | null): void {
    const said = remarks.filter((remark) => remark.length > 0).map((remark) => (typeof remark === 'string' ? [remark] : remark));
    const again = retry !== null && this.root.dataset.state === 'ready';
    // The same again would be announced again.
    const text = JSON.stringify([said.map((remark) => remark.map((node) => (typeof node === 'string' ? node : node.textContent))), again]);
    if (text === this.remarked) return;
    this.remarked = text;
    this.remark.replaceChildren(...said.flatMap((remark, at) => (at === 0 ? remark : [' ', ...remark])));
    if (again) this.remark.append(' ', againButton(retry));
  }

  protected async savePicture(picture: Promise<Blob>, name: string): Promise<void> {
    try {
      download(await picture, name);
      this.notice = 'The view was saved as a picture.';
    } catch (error) {
      this.notice =
        error instanceof TooLarge
          ? 'This browser has no memory for a picture of this size; choose a smaller one.'
          : 'This browser does not let the page save the picture.';
    }
    this.showRemark();
  }

  private async toggleFullScreen(): Promise<void> {
    if (await toggledFullScreen(this.root)) return;
    this.notice = NO_FULL_SCREEN;
    this.showRemark();
  }
}
