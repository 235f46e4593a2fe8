import { followTheme } from '../shared/appearance';
import { textElement } from '../shared/elements';
import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import { numberTrait, onTrait, shareTrait, textTrait, type Model } from '../shared/model';
import { Problem } from '../shared/problem';
import { factsText, Toolbar } from './controls';
import { parseIndex, type Panorama, type PanoramaIndex } from './panoramas';
import { Stage, type MaskState, type StageEvents } from './stage';
import css from './style.css';

const MASK_NOTES: Partial<Record<MaskState, string>> = {
  none: 'This panorama has no masks.',
  failed: 'Masks could not be loaded; the image is shown without some or all of them.',
};
const TILES_NOTE = 'Parts of the image could not be loaded.';

/**
 * Shows the panoramas of an index, one at a time, with masks over the image.
 *
 * The root's `data-state` is `loading`, `ready`, `empty` or `error`, its `data-masks` how far the masks are.
 */
class PanoramaView {
  private readonly root = document.createElement('div');
  private readonly style = document.createElement('style');
  private readonly facts = textElement('p', '', 'nn-facts');
  private readonly remark = textElement('p', '', 'nn-remark');
  private readonly message = textElement('p', '', 'nn-message');
  private readonly ended = new AbortController();
  private index: PanoramaIndex | null = null;
  private toolbar: Toolbar | null = null;
  private stage: Stage | null = null;
  private open: Panorama | null = null;
  private tilesMissing = false;

  constructor(
    private readonly model: Model,
    host: HTMLElement,
  ) {
    this.style.textContent = css;
    this.root.className = 'nn-panorama';
    this.remark.setAttribute('role', 'status');
    this.message.setAttribute('role', 'status');
    const { signal } = this.ended;
    followTheme(this.root, signal);
    this.setHeight();
    this.tell('loading', 'Loading the panoramas …');
    this.root.append(this.message);
    host.append(this.style, this.root);
    const resize = () => {
      this.setHeight();
    };
    const reopen = () => {
      this.show(this.chosen());
    };
    onTrait(model, 'height', resize, signal);
    onTrait(model, 'panorama', reopen, signal);
    this.load().catch((error: unknown) => {
      if (signal.aborted) return;
      this.fail(error instanceof Problem ? error : new Problem('The panoramas could not be shown in this browser.'));
    });
  }

  destroy(): void {
    if (this.ended.signal.aborted) return;
    this.ended.abort();
    this.stage?.destroy();
    this.root.remove();
    this.style.remove();
  }

  private async load(): Promise<void> {
    const { signal } = this.ended;
    const address = dataAddress(this.model, 'index', signal);
    const index = parseIndex(await fetchText(address, 'The list of panoramas', signal), address);
    await laidOut(this.root, signal);
    if (signal.aborted) return;
    this.index = index;
    if (index.panoramas.length === 0) {
      this.tell('empty', index.note || 'There are no panoramas in this edition of the book.');
      return;
    }
    this.build(index);
    this.show(this.chosen());
  }

  private build(index: PanoramaIndex): void {
    const fullScreen = () => {
      void this.toggleFullScreen();
    };
    const events: StageEvents = {
      ready: () => {
        this.tell('ready', '');
      },
      imageFailed: (problem) => {
        this.fail(problem);
      },
      tilesMissing: () => {
        this.tilesMissing = true;
        this.showRemark();
      },
      masks: (state) => {
        this.root.dataset.masks = state;
        this.showRemark();
      },
    };
    const stage = new Stage(this.root, events, document.fullscreenEnabled ? fullScreen : null);
    const toolbar = new Toolbar(index.panoramas, {
      choose: (panorama) => {
        this.show(panorama);
        shareTrait(this.model, 'panorama', panorama.name);
      },
      masks: (style, opacity) => {
        stage.setMasks(style, opacity);
      },
    });
    this.stage = stage;
    this.toolbar = toolbar;
    toolbar.announceMasks();
    stage.element.append(this.message);
    const caption = document.createElement('div');
    caption.className = 'nn-caption';
    caption.append(this.facts, this.remark);
    if (index.note) caption.append(textElement('p', index.note, 'nn-note'));
    stage.element.before(toolbar.element);
    stage.element.after(caption);
    this.root.addEventListener('fullscreenchange', () => {
      stage.setFullScreen(this.root.matches(':fullscreen'));
    });
  }

  private show(panorama: Panorama | undefined): void {
    if (!panorama || !this.stage || panorama === this.open) return;
    this.open = panorama;
    this.tell('loading', 'Loading the image …');
    this.tilesMissing = false;
    this.showRemark();
    this.facts.textContent = factsText(panorama, this.index?.panoramas.length ?? 0);
    this.toolbar?.show(panorama);
    this.stage.open(panorama);
  }

  /** The panorama that the model names, or else the first. */
  private chosen(): Panorama | undefined {
    const name = textTrait(this.model, 'panorama');
    const panoramas = this.index?.panoramas ?? [];
    return panoramas.find((panorama) => panorama.name === name) ?? panoramas[0];
  }

  /** Says what is missing from the picture. */
  private showRemark(): void {
    const masks = MASK_NOTES[this.root.dataset.masks as MaskState] ?? '';
    this.remark.textContent = [this.tilesMissing ? TILES_NOTE : '', masks].filter(Boolean).join(' ');
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
      this.remark.textContent = 'The browser does not allow full screen here.';
    }
  }

  private fail(problem: Problem): void {
    this.tell('error', problem.message);
  }

  private tell(state: 'loading' | 'ready' | 'empty' | 'error', message: string): void {
    this.root.dataset.state = state;
    this.message.textContent = message;
    this.message.hidden = message === '';
  }
}

function render({ model, el, signal }: { model: Model; el: HTMLElement; signal?: AbortSignal }): () => void {
  const view = new PanoramaView(model, el);
  const destroy = () => {
    view.destroy();
  };
  signal?.addEventListener('abort', destroy);
  return destroy;
}

export default { render };
