import { Problem } from '../shared/problem';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { ZoomStage, type Place, type StageEvents } from '../shared/zoomstage';
import type { Pointed } from '../shared/readout';
import { failureText, fetchImage, type HostedImage } from './image';

export interface DeepZoomEvents extends StageEvents {
  /** What is known of the image has come. */
  opened(image: HostedImage): void;
}

/** An image to be opened: its description's address, where that is in words, and what it shows. */
export interface Wanted {
  address: string;
  host: string;
  title: string;
  pxPerUm: number | null;
}

const WORDS = { all: 'Show the whole image', help: 'Arrows move, + and − zoom, 0 shows all.' };

/** One image, of whatever host. */
export class DeepZoomStage {
  readonly zoom: ZoomStage;
  private opening = new AbortController();

  /** `parent` is laid out already, since OpenSeadragon measures what it is given. */
  constructor(
    parent: HTMLElement,
    private readonly wanted: Wanted,
    private readonly events: DeepZoomEvents,
  ) {
    this.zoom = new ZoomStage(parent, WORDS, events, {
      failed: () => {
        events.failed(new Problem(`The image could not be loaded from ${wanted.host}.`));
      },
      drawn: () => undefined,
      pointed: (place) => this.describe(place),
      choose: () => undefined,
    });
  }

  /** Asks the host for the image, and shows it at a view as in the state. */
  async open(view: number[] | null): Promise<void> {
    const { events, wanted, zoom } = this;
    const { address, host, title, pxPerUm } = wanted;
    this.opening.abort();
    this.opening = new AbortController();
    const { signal } = this.opening;
    try {
      const image = await fetchImage(address, host, signal);
      signal.throwIfAborted();
      events.opened(image);
      const label = `${title}. Arrow keys move, plus and minus zoom, zero shows all.`;
      zoom.expect({ width: image.width, height: image.height, pxPerUm, label }, view);
      zoom.show([{ source: image.source, shown: true }]);
    } catch (error) {
      if (!signal.aborted) events.failed(error instanceof Problem ? error : new Problem(failureText(error, host)));
    }
  }

  /** Asks again for all that could not be loaded. */
  retry(): void {
    if (this.zoom.isOpen) this.zoom.retry();
    else void this.open(this.zoom.firstView);
  }

  destroy(): void {
    this.opening.abort();
    this.zoom.destroy();
  }

  private describe(place: Place | null): Pointed {
    const { zoom } = this;
    const pixel = place && zoom.pixelAt(place);
    const position = pixel ? `x ${grouped(pixel.x)}  y ${grouped(pixel.y)} px` : '';
    const view = zoom.keyboard ? zoom.view(false) : null;
    if (!view) return { name: '', facts: '', colour: '', position, spoken: '' };
    const [width, height] = [view.width / view.scale, view.height / view.scale];
    const { pxPerUm } = this.wanted;
    const seen = pxPerUm === null ? `${grouped(Math.round(width))} px` : lengthText(width / pxPerUm);
    const middle = `${grouped(Math.round(view.x + width / 2))}, ${grouped(Math.round(view.y + height / 2))} px`;
    return { name: '', facts: '', colour: '', position, spoken: `Middle at ${middle}; ${seen} in view.` };
  }
}
