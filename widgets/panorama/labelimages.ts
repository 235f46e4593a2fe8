import { textElement } from '../shared/elements';
import { isRecord, resolve, textOf } from '../shared/json';
import { onTrait, shareTrait, type Model } from '../shared/model';
import { fetchPyramid } from '../shared/pyramid';
import type { ZoomStage } from '../shared/zoomstage';
import css from './labelimages.css';
import { LabelOverlay } from './overlay';
import { pixelOf } from './palette';

/** A label image of the host: where it is, the panorama that it belongs to, and the colour of its outlines. */
export interface LabelImage {
  name: string;
  colour: string;
  address: string;
  panorama: string;
}

/** The label images that a trait holds; addresses are relative to `base`. What is none is left out. */
export function parseLabelImages(value: unknown, base: string): LabelImage[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    if (!isRecord(entry)) return [];
    const [name, colour, panorama] = [textOf(entry.name), textOf(entry.colour), textOf(entry.panorama)];
    const address = resolve(textOf(entry.labels), base);
    const fits = name !== null && panorama !== null && address !== null && colour !== null && /^#[0-9a-f]{6}$/i.test(colour);
    return fits ? [{ name, colour, address, panorama }] : [];
  });
}

/**
 * Further label images over a panorama, each outlined in a colour of its own, with a switch for each.
 *
 * The host adds them by its trait `label_images`; `shown_labels` holds the names of those that are shown.
 */
export class LabelImages {
  readonly element = document.createElement('div');
  private readonly choices = document.createElement('fieldset');
  private readonly overlays = new Map<string, { image: LabelImage; canvas: HTMLCanvasElement; overlay: LabelOverlay | null }>();
  private panorama = '';
  private base = '';

  constructor(
    private readonly zoom: ZoomStage,
    private readonly model: Model,
    private readonly signal: AbortSignal,
  ) {
    const style = document.createElement('style');
    style.textContent = css;
    this.choices.className = 'nn-fieldset nn-further';
    this.element.append(style, this.choices);
    const update = () => {
      this.update();
    };
    for (const trait of ['label_images', 'shown_labels']) onTrait(model, trait, update, signal);
    zoom.viewer.addHandler('update-viewport', () => {
      this.draw();
    });
    signal.addEventListener('abort', () => {
      for (const image of this.overlays.keys()) this.close(image);
    });
    this.update();
  }

  /** Shows those of a panorama, whose index is at `base`. */
  show(panorama: string, base: string): void {
    this.panorama = panorama;
    this.base = base;
    this.update();
  }

  private update(): void {
    const value = this.model.get('shown_labels');
    const shown = new Set(Array.isArray(value) ? value : []);
    const images = parseLabelImages(this.model.get('label_images'), this.base).filter(({ panorama }) => panorama === this.panorama);
    this.element.hidden = images.length === 0;
    this.choices.replaceChildren(
      textElement('legend', 'Outlined', 'nn-label'),
      ...images.map((image) => this.choice(image, shown.has(image.name))),
    );
    const wanted = new Set(images.filter(({ name }) => shown.has(name)).map(({ address }) => address));
    for (const address of this.overlays.keys()) if (!wanted.has(address)) this.close(address);
    for (const image of images) if (wanted.has(image.address) && !this.overlays.has(image.address)) void this.open(image);
    this.zoom.viewer.forceRedraw();
  }

  private choice({ name, colour }: LabelImage, shown: boolean): HTMLElement {
    const label = document.createElement('label');
    const box = document.createElement('input');
    const swatch = textElement('span', '', 'nn-ink');
    label.className = 'nn-tick';
    box.type = 'checkbox';
    box.checked = shown;
    swatch.style.borderColor = colour;
    label.append(box, swatch, textElement('span', name));
    box.addEventListener('change', () => {
      const before: unknown = this.model.get('shown_labels');
      const others: unknown[] = (Array.isArray(before) ? before : []).filter((one) => one !== name);
      shareTrait(this.model, 'shown_labels', box.checked ? [...others, name] : others);
    });
    return label;
  }

  private async open(image: LabelImage): Promise<void> {
    const { overlays, signal, zoom } = this;
    const canvas = document.createElement('canvas');
    canvas.className = 'nn-overlay';
    canvas.dataset.labels = 'loading';
    zoom.viewer.canvas.append(canvas);
    const entry: { image: LabelImage; canvas: HTMLCanvasElement; overlay: LabelOverlay | null } = { image, canvas, overlay: null };
    overlays.set(image.address, entry);
    try {
      const pyramid = await fetchPyramid(image.address, `The labels ${image.name}`, signal);
      if (overlays.get(image.address) !== entry) return;
      const update = () => {
        zoom.viewer.forceRedraw();
      };
      const ink = pixelOf(image.colour);
      entry.overlay = new LabelOverlay(canvas, pyramid, { changed: update, failed: update });
      entry.overlay.setStyle('outline', 1);
      entry.overlay.setColours(() => ink);
      zoom.restoreWhenLost(canvas);
      update();
    } catch {
      canvas.dataset.labels = 'failed';
    }
  }

  private close(address: string): void {
    const entry = this.overlays.get(address);
    entry?.overlay?.destroy();
    entry?.canvas.remove();
    this.overlays.delete(address);
  }

  private draw(): void {
    const [now, rest] = [this.zoom.view(true), this.zoom.view(false)];
    for (const { canvas, overlay } of this.overlays.values()) {
      if (!overlay || !now || !rest) continue;
      overlay.fetchFor(rest);
      overlay.draw(now);
      const { missing, settled } = overlay.tiles;
      canvas.dataset.labels = missing ? 'failed' : settled ? 'drawn' : 'loading';
    }
  }
}
