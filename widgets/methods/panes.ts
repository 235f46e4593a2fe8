import { textElement } from '../shared/elements';
import { LabelOverlay } from '../panorama/overlay';
import { KINDS, type MistakeKind } from '../panorama/mistakes';
import { pixelOf } from '../panorama/palette';
import type { Pyramid } from '../shared/pyramid';
import type { View } from '../shared/zoomstage';
import { COLOURS, TRUTH, wrongMasks, wrongNuclei, type Method } from './comparison';

const WHITE = pixelOf('#ffffff');

/** The masks of a method, and over them the true nuclei that it misses or splits, in the colours of mistakes. */
export class MethodMasks {
  private readonly masks: LabelOverlay;
  private readonly nuclei: LabelOverlay | null;

  /** Draws on two canvases; `truth` is the pyramid of true nuclei. */
  constructor(
    private readonly canvases: readonly [HTMLCanvasElement, HTMLCanvasElement],
    method: Method,
    pyramid: Pyramid,
    truth: Pyramid,
    changed: () => void,
    outline: number,
  ) {
    const events = { changed, failed: changed };
    const [masks, nuclei] = [wrongMasks(method), wrongNuclei(method)];
    const pixels = new Map(KINDS.map((kind) => [kind, pixelOf(COLOURS[kind])]));
    this.masks = new LabelOverlay(canvases[0], pyramid, events, outline);
    this.masks.setStyle('outline', 1);
    const pixelOfKind = (kind: MistakeKind | undefined) => (kind === undefined ? WHITE : (pixels.get(kind) ?? WHITE));
    this.masks.setColours((label) => pixelOfKind(masks.get(label)));
    this.nuclei = nuclei.size === 0 ? null : new LabelOverlay(canvases[1], truth, events, outline, 0);
    this.nuclei?.setStyle('outline', 1);
    this.nuclei?.setColours(
      (label) => pixelOfKind(nuclei.get(label)),
      (label) => !nuclei.has(label),
    );
  }

  /** The label of the mask at a pixel; 0 where there is none. */
  labelAt(x: number, y: number): number {
    return this.masks.tiles.labelAt(x, y) ?? 0;
  }

  get settled(): boolean {
    return this.masks.tiles.settled && (this.nuclei?.tiles.settled ?? true);
  }

  get missing(): boolean {
    return this.masks.tiles.missing || (this.nuclei?.tiles.missing ?? false);
  }

  retry(): void {
    this.masks.tiles.retry();
    this.nuclei?.tiles.retry();
  }

  draw(now: View, rest: View): void {
    for (const overlay of [this.masks, this.nuclei]) {
      overlay?.fetchFor(rest);
      overlay?.draw(now);
    }
  }

  destroy(): void {
    this.masks.destroy();
    this.nuclei?.destroy();
    for (const canvas of this.canvases) canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
  }
}

/** Small pictures of what the stage shows, one a method, of which one is chosen to be shown large. */
export class Panes {
  readonly element = document.createElement('div');
  private readonly panes: Pane[];

  constructor(methods: readonly Method[], chosen: (name: string) => void) {
    const group = `nn-panes-${crypto.getRandomValues(new Uint32Array(1)).join('')}`;
    this.element.className = 'nn-panes';
    this.element.setAttribute('role', 'radiogroup');
    this.element.setAttribute('aria-label', 'Method');
    this.panes = methods.map((method) => new Pane(method, group, chosen));
    this.element.append(...this.panes.map(({ element }) => element));
  }

  /** Gives the pane of a method its masks. */
  fill(name: string, pyramid: Pyramid, truth: Pyramid, changed: () => void): void {
    this.panes.find(({ method }) => method.name === name)?.fill(pyramid, truth, changed);
  }

  show(name: string): void {
    for (const pane of this.panes) pane.check(pane.method.name === name);
  }

  /** Draws what the stage's canvas shows, now and at rest, and a cross where it is pointed at. */
  draw(image: HTMLCanvasElement, now: View, rest: View): void {
    for (const pane of this.panes) pane.draw(image, now, rest);
  }

  /** Marks the place that is pointed at, as shares of width and height. */
  point(place: { x: number; y: number } | null): void {
    for (const pane of this.panes) pane.point(place);
  }

  /** The label at a pixel of the image in the masks of a method; 0 where there is none. */
  labelAt(name: string, x: number, y: number): number {
    return this.panes.find(({ method }) => method.name === name)?.labelAt(x, y) ?? 0;
  }

  get settled(): boolean {
    return this.panes.every(({ settled }) => settled);
  }

  retry(): void {
    for (const pane of this.panes) pane.retry();
  }

  destroy(): void {
    for (const pane of this.panes) pane.destroy();
  }
}

class Pane {
  readonly element = document.createElement('label');
  private readonly radio = document.createElement('input');
  private readonly picture = textElement('span', '', 'nn-pane-picture');
  private readonly image = document.createElement('canvas');
  private readonly canvases = [document.createElement('canvas'), document.createElement('canvas')] as const;
  private readonly cross = textElement('span', '', 'nn-pane-cross');
  private masks: MethodMasks | null = null;

  constructor(
    readonly method: Method,
    group: string,
    chosen: (name: string) => void,
  ) {
    const { element, picture, radio } = this;
    element.className = 'nn-pane';
    radio.type = 'radio';
    radio.name = group;
    radio.value = method.name;
    radio.addEventListener('change', () => {
      chosen(method.name);
    });
    this.cross.hidden = true;
    picture.append(this.image, ...this.canvases, this.cross);
    const counts = textElement('span', '', 'nn-pane-counts');
    for (const kind of KINDS) {
      const count = method.mistakes.filter((one) => one.kind === kind).length;
      if (count === 0) continue;
      const key = textElement('span', `${count} ${kind}`, 'nn-key');
      const swatch = textElement('span', '', 'nn-swatch');
      swatch.style.background = COLOURS[kind];
      key.prepend(swatch);
      counts.append(key);
    }
    if (counts.childElementCount === 0) counts.textContent = method.name === TRUTH ? 'all nuclei' : 'no mistake';
    const name = textElement('span', method.title, 'nn-pane-name');
    element.append(radio, picture, name, counts);
  }

  labelAt(x: number, y: number): number {
    return this.masks?.labelAt(x, y) ?? 0;
  }

  check(checked: boolean): void {
    this.radio.checked = checked;
  }

  fill(pyramid: Pyramid, truth: Pyramid, changed: () => void): void {
    this.masks?.destroy();
    this.masks = new MethodMasks(this.canvases, this.method, pyramid, truth, changed, 1.4);
  }

  draw(image: HTMLCanvasElement, now: View, rest: View): void {
    const { picture, masks } = this;
    picture.style.aspectRatio = `${now.width} / ${now.height}`;
    const width = Math.round(picture.clientWidth * devicePixelRatio);
    const context = this.image.getContext('2d');
    if (width === 0 || !context || image.width === 0) return;
    const height = Math.max(1, Math.round((width * now.height) / now.width));
    const share = width / now.width;
    const small = (view: View): View => ({ ...view, scale: view.scale * share, width, height });
    if (this.image.width !== width || this.image.height !== height) {
      this.image.width = width;
      this.image.height = height;
    }
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
    this.image.style.filter = image.style.filter;
    masks?.draw(small(now), small(rest));
  }

  point(place: { x: number; y: number } | null): void {
    this.cross.hidden = place === null;
    if (!place) return;
    this.cross.style.left = `${(100 * place.x).toFixed(2)}%`;
    this.cross.style.top = `${(100 * place.y).toFixed(2)}%`;
  }

  get settled(): boolean {
    return this.masks?.settled ?? false;
  }

  retry(): void {
    this.masks?.retry();
  }

  destroy(): void {
    this.masks?.destroy();
    this.radio.name = '';
  }
}
