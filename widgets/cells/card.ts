import { BaseCard, showFacts, type CardEvents } from '../shared/card';
import { copyLink } from '../shared/copylink';
import { textButton, textElement } from '../shared/elements';
import type { Around } from '../shared/goto';
import type { ListedPanorama } from '../shared/panoramalist';
import { ScaleBar } from '../shared/scalebar';
import { grouped, rounded } from '../shared/text';
import { whereShown } from '../shared/where';
import type { Facts } from './table';

export interface CellCardEvents extends CardEvents {
  /** Shows the cells most like this; null where nothing is measured. */
  alike: (() => void) | null;
  /** The address that shows this cell; null where the view has none of its own. */
  link: (() => string) | null;
}

/** The chosen cell: its image at full size, what was measured of it, and where it is. */
export class Card extends BaseCard {
  private readonly picture = document.createElement('div');
  private readonly canvas = document.createElement('canvas');
  private readonly scaleBar = new ScaleBar();
  private readonly message = textElement('p', '', 'nn-over');
  private readonly facts = document.createElement('dl');
  private readonly map = document.createElement('div');
  private readonly remark = textElement('p', '', 'nn-note');
  private readonly actions = textElement('div', '', 'nn-card-actions');
  private readonly copied = textElement('p', '', 'nn-copied');
  private colours = new Uint8Array(768);
  private pixels: Uint8Array | null = null;

  constructor(
    private readonly of: {
      pxPerUm: number | null;
      cellPx: number;
    } & Around,
    private readonly events: CellCardEvents,
    signal: AbortSignal,
  ) {
    super('cell', events);
    const { element, picture, canvas, scaleBar } = this;
    canvas.setAttribute('role', 'img');
    picture.className = 'nn-picture';
    picture.append(canvas, this.message, scaleBar.element);
    this.map.className = 'nn-map';
    const where = textElement('div', '', 'nn-where');
    const words = textElement('div', '');
    this.copied.setAttribute('role', 'status');
    words.append(this.remark, this.actions, this.copied);
    where.append(this.map, words);
    const details = textElement('div', '', 'nn-card-details');
    details.append(this.facts, where);
    element.append(picture, details);
    const observer = new ResizeObserver(() => { this.scale(); });
    observer.observe(picture);
    signal.addEventListener('abort', () => { observer.disconnect(); });
  }

  /** Shows a cell of which only the title is known so far. */
  show(title: string): void {
    this.element.hidden = false;
    this.heading.textContent = title;
    this.canvas.setAttribute('aria-label', `Image of ${title}`);
    this.facts.replaceChildren();
    this.map.replaceChildren();
    this.actions.replaceChildren();
    this.copied.textContent = '';
    this.remark.textContent = 'Loading its measurements …';
    this.pixels = null;
    this.message.textContent = '';
    this.canvas.width = this.canvas.height = 1;
  }

  /** Shows the image; null where it could not be loaded. */
  showImage(pixels: Uint8Array | null): void {
    this.message.textContent = pixels ? '' : 'The image could not be loaded.';
    if (!pixels) return;
    this.pixels = pixels;
    const side = Math.sqrt(pixels.length);
    this.canvas.width = this.canvas.height = side;
    this.paint();
    this.scale();
  }

  setColours(table: Uint8Array<ArrayBuffer>): void {
    this.colours = table;
    this.paint();
  }

  /** Shows what is known; `shown` is what there is of the panorama, null where nothing, undefined where that is not known. */
  showFacts(facts: Facts, shown: ListedPanorama | null | undefined): void {
    const { cell, run, passage, x, y } = facts;
    const title = cell ?? 'Cell';
    // The name may break before its parts.
    this.heading.replaceChildren(...title.split(/(?=_)/).flatMap((part) => [document.createElement('wbr'), part]));
    this.canvas.setAttribute('aria-label', `Image of ${title}`);
    const place = x === null || y === null ? null : `${grouped(Math.round(x))}, ${grouped(Math.round(y))} px`;
    const value = (column: string, unit = '') => {
      const measured = facts.measures.get(column);
      return measured === undefined ? null : `${rounded(measured)}${unit}`;
    };
    const [mean, spread] = [value('mean_intensity'), value('std_intensity')];
    showFacts(this.facts, [
      ['Area', value('area_um2', ' µm²')],
      ['Intensity', mean === null ? null : `mean ${mean}${spread === null ? '' : `, standard deviation ${spread}`}`],
      ['Texture', value('texture')],
      ['Elongation', value('elongation')],
      ['Orientation', value('orientation_deg', '°')],
      ['Rim of the mask', value('rim_um', ' µm')],
      ['Class', facts.kind],
      ['Experiment', run === null ? null : `${run}${passage === null ? '' : `, passage ${passage}`}`],
      ['Centroid', place],
    ]);
    this.showWhere(facts, shown);
    const { alike, link } = this.events;
    if (alike && facts.measures.size > 0) this.actions.append(textButton('More like this', alike));
    if (link) this.actions.append(textButton('Copy link', () => void copyLink(link(), this.copied, 'Link to this cell')));
  }

  /** Shows why nothing is known of the cell. */
  showProblem(words: string): void {
    this.remark.textContent = words;
  }

  override hide(): void {
    super.hide();
    this.map.replaceChildren();
  }

  /** Where the cell is in its panorama, and where that is shown. */
  private showWhere({ panorama: name, roi, x, y }: Facts, panorama: ListedPanorama | null | undefined): void {
    this.actions.replaceChildren();
    this.map.replaceChildren();
    this.remark.textContent = '';
    if (name === null) return;
    const { words, go } = whereShown(this.of, name, roi, panorama);
    this.remark.replaceChildren(...words);
    if (panorama?.preview && panorama.width && panorama.height && x !== null && y !== null) {
      this.map.append(mapOf(panorama.preview, name, x / panorama.width, y / panorama.height));
    }
    if (go) this.actions.append(go);
  }

  private paint(): void {
    const { canvas, pixels, colours } = this;
    const context = canvas.getContext('2d');
    if (!context || !pixels) return;
    const image = new ImageData(canvas.width, canvas.height);
    for (let at = 0; at < pixels.length; at++) {
      const grey = pixels[at] ?? 0;
      image.data.set([colours[3 * grey] ?? 0, colours[3 * grey + 1] ?? 0, colours[3 * grey + 2] ?? 0, 255], 4 * at);
    }
    context.putImageData(image, 0, 0);
  }

  private scale(): void {
    const { pxPerUm, cellPx } = this.of;
    const width = this.picture.clientWidth;
    this.scaleBar.update(pxPerUm === null || width === 0 ? null : (pxPerUm * width) / cellPx, width);
  }

  /** Whether it is over the grid, where there is no room beside. */
  get isOver(): boolean {
    return getComputedStyle(this.element).position === 'absolute';
  }

  /** Where its nucleus is shown, in words. */
  get summary(): string {
    return this.remark.textContent;
  }
}

/** A small picture of a panorama, with a ring at a place in it. */
function mapOf(preview: string, name: string, x: number, y: number): HTMLElement {
  const frame = document.createElement('div');
  frame.className = 'nn-map-frame';
  const image = document.createElement('img');
  image.src = preview;
  image.alt = `${name}, reduced; a ring marks the nucleus ${Math.round(100 * x)} % from the left and ${Math.round(100 * y)} % from the top`;
  const ring = document.createElement('span');
  ring.style.left = `${100 * x}%`;
  ring.style.top = `${100 * y}%`;
  image.addEventListener('error', () => { frame.remove(); });
  frame.append(image, ring);
  return frame;
}
