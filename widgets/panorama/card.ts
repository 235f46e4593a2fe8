import { BaseCard, showFacts, ZoomActions, type ZoomCardEvents } from '../shared/card';
import { textElement } from '../shared/elements';
import { lengthText } from '../shared/scalebar';
import { grouped, rounded } from '../shared/text';
import { CELL_PX } from './cellimage';
import type { Nucleus } from './nuclei';

/** The chosen nucleus: its cell image and what was measured of it. */
export class Card extends BaseCard {
  private readonly name = document.createElement('span');
  private readonly swatch = document.createElement('span');
  private readonly picture = textElement('div', '', 'nn-cell');
  private readonly caption = textElement('p', '', 'nn-note');
  private readonly facts = document.createElement('dl');
  private readonly actions: ZoomActions;

  constructor(events: ZoomCardEvents) {
    super('nucleus', events);
    this.swatch.className = 'nn-swatch';
    this.heading.append(this.swatch, this.name);
    this.actions = new ZoomActions('nucleus', events);
    const details = textElement('div', '', 'nn-card-details');
    details.append(this.facts, this.caption, this.actions.element, this.actions.copied);
    this.element.append(this.picture, details);
  }

  /** Shows what is known of a nucleus by now; `nucleus` is null while that is little. */
  show(roi: number, nucleus: Nucleus | null, colour: string, pxPerUm: number | null, count: number | null): void {
    this.element.hidden = false;
    this.name.textContent = `ROI ${roi}`;
    this.swatch.style.background = colour;
    this.actions.copied.replaceChildren();
    for (const button of this.stepping) button.disabled = count === null || count < 2;
    showFacts(this.facts, [
      ['Area', number(nucleus?.areaUm2, ' µm²')],
      ['Mean intensity', number(nucleus?.meanIntensity)],
      ['SD of intensity', number(nucleus?.stdIntensity)],
      ['Class', nucleus?.kind ?? null],
      ['Centroid', nucleus ? `${grouped(Math.round(nucleus.x))}, ${grouped(Math.round(nucleus.y))} px` : null],
    ]);
    const side = pxPerUm === null ? '' : `, ${lengthText(CELL_PX / pxPerUm)}`;
    this.caption.textContent = `Cell image: ${CELL_PX} × ${CELL_PX} px${side} wide, black outside of the mask.`;
  }

  /** The colour of its mask may become known late. */
  colour(colour: string): void {
    this.swatch.style.background = colour;
  }

  /** Shows the cell image, or a message in its place. */
  showCell(cell: HTMLCanvasElement | string): void {
    if (typeof cell !== 'string') {
      cell.setAttribute('role', 'img');
      cell.setAttribute('aria-label', `Cell image of ${this.name.textContent}`);
    }
    this.picture.replaceChildren(typeof cell === 'string' ? textElement('p', cell) : cell);
  }

  override hide(): void {
    super.hide();
    this.picture.replaceChildren();
  }
}

function number(value: number | null | undefined, unit = ''): string | null {
  return value === null || value === undefined ? null : `${rounded(value)}${unit}`;
}
