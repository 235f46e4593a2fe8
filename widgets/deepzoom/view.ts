import { SHARED, type Kinds } from '../shared/address';
import { CONTRAST_STATE } from '../shared/contraststate';
import { textElement } from '../shared/elements';
import type { Model } from '../shared/model';
import { modelWith, numberTrait, textTrait } from '../shared/model';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { VIEW } from '../shared/zoomstate';
import { ZoomView, type ZoomState } from '../shared/zoomview';
import type { HostedImage } from './image';
import { DeepZoomStage } from './stage';
import css from './style.css';

const STATE: Kinds<ZoomState> = { ...SHARED, ...CONTRAST_STATE, view: VIEW };

/** What is opened: see `DeepZoomView`. */
export interface Source {
  address: string;
  /** The host where that is another than the page's; it is asked for nothing before the reader says so. */
  foreign: string | null;
  /** Address of a picture of the whole image, of the page's own host. */
  picture: string | null;
}

/**
 * Any Deep Zoom or IIIF image. Where another host has it, a picture or a plain panel is in its place until the reader asks
 * for it, and again where it could not be loaded.
 */
export class DeepZoomView extends ZoomView<ZoomState, DeepZoomStage> {
  protected readonly card = { element: textElement('div', '') };
  private readonly title: string;

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-deepzoom', css, state: STATE, loading: 'Loading the image …' }, withoutCollisions(model), host, signal);
    this.title = textTrait(model, 'title') ?? 'Image';
    this.state.onChange(() => {
      this.apply();
    });
  }

  open({ address, foreign, picture }: Source): void {
    const { root, model, title } = this;
    const bar = textElement('div', '', 'nn-toolbar');
    const body = textElement('div', '', 'nn-body');
    bar.append(textElement('strong', title, 'nn-title'));
    root.prepend(bar, body);
    const stage = new DeepZoomStage(
      body,
      { address, host: foreign ?? 'this site', title, pxPerUm: numberTrait(model, 'px_per_um') },
      {
        ...this.stageEvents(),
        opened: (image) => {
          this.facts.textContent = this.factsText(image);
        },
      },
    );
    this.addStage(stage, textTrait(model, 'credit') ?? '');
    if (picture !== null) {
      const image = document.createElement('img');
      image.className = 'nn-poster';
      image.src = picture;
      image.alt = title;
      image.addEventListener('error', () => {
        image.remove();
      });
      stage.zoom.element.prepend(image);
    }
    this.openOnRequest(foreign, (view) => void stage.open(view));
  }

  protected apply(): void {
    this.followView();
  }

  protected step(): void {
    // Nothing can be chosen.
  }

  protected letGo(): void {
    // Nothing can be chosen.
  }

  protected save(): void {
    const { model, stage, title } = this;
    if (!stage) return;
    const lines = [this.facts.textContent, textTrait(model, 'credit') ?? ''].filter(Boolean);
    void this.savePicture(stage.zoom.picture(this.contrast(), [], title, lines), `${title.replace(/\W+/g, '_')}.png`);
  }

  protected showRemark(): void {
    const retry = () => {
      this.stage?.retry();
    };
    this.showRemarks([this.gaps ? 'Parts of the image could not be loaded.' : '', this.notice], this.gaps ? retry : null);
  }

  private factsText({ width, height }: HostedImage): string {
    const pxPerUm = numberTrait(this.model, 'px_per_um');
    const size = `${grouped(width)} × ${grouped(height)} px`;
    return pxPerUm === null ? size : `${size}, ${lengthText(width / pxPerUm)} wide`;
  }
}

/** A view without a name keeps out of the page's address: it has no nucleus to share, and its place would be another view's. */
function withoutCollisions(model: Model): Model {
  if (textTrait(model, 'name') !== null) return model;
  return modelWith(model, (name) => (name === 'address' ? false : model.get(name)));
}
