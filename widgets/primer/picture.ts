import { textElement } from '../shared/elements';

const SVG = 'http://www.w3.org/2000/svg';

/** A colour as a word of pixel memory: red in the lowest byte. */
export type Word = number;

export function word(red: number, green: number, blue: number): Word {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The colours of neighbouring labels: Okabe and Ito's without black, light enough for a dark ground. */
export const LABELS = [word(86, 180, 233), word(230, 159, 0), word(0, 158, 115), word(240, 228, 66), word(204, 121, 167), word(213, 94, 0), word(120, 150, 255)];

/** Black for 0, white for `most`. */
export function greys(values: ArrayLike<number>, most = 255): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(values, (value) => {
    const grey = Math.round(255 * Math.min(1, Math.max(0, value / most)));
    return word(grey, grey, grey);
  });
}

/** Orange above 0, blue below, and black for 0; `most` is the brightest of either. */
export function signed(values: ArrayLike<number>, most: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(values, (value) => {
    const share = Math.min(1, Math.abs(value) / most) ** 0.8;
    return value < 0 ? word(86 * share, 180 * share, 255 * share) : word(255 * share, 170 * share, 40 * share);
  });
}

/** Each label in its colour, over black. */
export function labelled(labels: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(labels, (label) => (label === 0 ? word(0, 0, 0) : (LABELS[(label - 1) % LABELS.length] ?? 0)));
}

/** A colour over an image: what it shows through as `share` says. */
export function mixed(under: ArrayLike<number>, over: ArrayLike<number>, share: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(under, (low, at) => {
    const high = over[at] ?? 0;
    if ((high & 0xffffff) === 0) return low;
    const channel = (shift: number) => ((low >>> shift) & 255) * (1 - share) + ((high >>> shift) & 255) * share;
    return word(channel(0), channel(8), channel(16));
  });
}

/** A picture whose pixels can be seen, with lines over it and its name below. */
export class Picture {
  readonly element = textElement('figure', '', 'nn-picture');
  readonly over: SVGSVGElement;
  private readonly canvas = document.createElement('canvas');
  private readonly title = textElement('strong', '');
  private readonly note = textElement('span', '');

  constructor(title: string, description: string) {
    this.over = document.createElementNS(SVG, 'svg');
    this.over.setAttribute('aria-hidden', 'true');
    this.over.setAttribute('preserveAspectRatio', 'none');
    const stage = textElement('div', '', 'nn-pixels');
    stage.append(this.canvas, this.over);
    this.canvas.setAttribute('role', 'img');
    this.title.textContent = title;
    this.describe(description);
    const caption = document.createElement('figcaption');
    caption.append(this.title, this.note);
    this.element.append(stage, caption);
  }

  show(colours: Uint32Array<ArrayBuffer>, width: number, height: number): void {
    const { canvas } = this;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    canvas.getContext('2d')?.putImageData(new ImageData(new Uint8ClampedArray(colours.buffer, colours.byteOffset, colours.byteLength), width, height), 0, 0);
    this.over.setAttribute('viewBox', `0 0 ${width} ${height}`);
  }

  setTitle(title: string): void {
    this.title.textContent = title;
  }

  setNote(note: string): void {
    this.note.textContent = note;
  }

  /** What is seen, for who does not see it. */
  describe(description: string): void {
    this.canvas.setAttribute('aria-label', description);
  }

  /** Takes lines over the picture away, and draws others, in px of the picture. */
  draw(...shapes: SVGElement[]): void {
    this.over.replaceChildren(...shapes);
  }

  /** Calls back with the pixel that a reader presses on, and drags to. */
  onPress(pressed: (x: number, y: number) => void): void {
    const { over } = this;
    over.classList.add('nn-pressed');
    const at = (event: PointerEvent) => {
      const box = over.getBoundingClientRect();
      const place = (client: number, from: number, size: number, count: number) => Math.min(count - 1, Math.max(0, ((client - from) / size) * count));
      pressed(place(event.clientX, box.left, box.width, this.canvas.width), place(event.clientY, box.top, box.height, this.canvas.height));
    };
    over.addEventListener('pointerdown', (event) => {
      over.setPointerCapture(event.pointerId);
      at(event);
    });
    over.addEventListener('pointermove', (event) => {
      if (over.hasPointerCapture(event.pointerId)) at(event);
    });
  }
}

export function shape(tag: string, attributes: Record<string, string | number>, className = ''): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.setAttribute('vector-effect', 'non-scaling-stroke');
  if (className !== '') element.setAttribute('class', className);
  return element;
}

export function box(x: number, y: number, width: number, height: number, className = 'nn-line'): SVGElement {
  return shape('rect', { x, y, width, height }, className);
}

/** The borders between pixels of different labels, and of labels and background, as an SVG path. */
export function outlines(labels: ArrayLike<number>, width: number, height: number): string {
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : (labels[y * width + x] ?? 0));
  let path = '';
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (y < height && at(x - 1, y) !== at(x, y)) path += `M${x} ${y}v1`;
      if (x < width && at(x, y - 1) !== at(x, y)) path += `M${x} ${y}h1`;
    }
  }
  return path;
}
