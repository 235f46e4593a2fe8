import { BaseCard, showFacts, ZoomActions, type ZoomCardEvents } from '../shared/card';
import { textElement } from '../shared/elements';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { measuresOf, valueText } from './measures';
import { CELL_PX, type Nuclei, type Nucleus } from './nuclei';

/** The size of the box around a nucleus is only told where masks are coloured by it. */
const SIZES = new Set(['width_px', 'height_px']);

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
  show(roi: number, nucleus: Nucleus | null, colour: string, pxPerUm: number | null, nuclei: Nuclei | null, by: string | null): void {
    this.element.hidden = false;
    this.name.textContent = `ROI ${roi}`;
    this.swatch.style.background = colour;
    this.actions.copied.replaceChildren();
    for (const button of this.stepping) button.disabled = nuclei === null || nuclei.all.length < 2;
    const measures = nuclei && nucleus ? measuresOf(nuclei).filter(({ column }) => column === by || !SIZES.has(column)) : [];
    showFacts(this.facts, [
      ...measures.map((measure): [string, string | null] => [measure.name, valueText(nuclei?.value(roi, measure.column) ?? null, measure)]),
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
    this.caption.hidden = typeof cell === 'string';
    this.picture.replaceChildren(typeof cell === 'string' ? textElement('p', cell) : cell);
  }

  override hide(): void {
    super.hide();
    this.picture.replaceChildren();
  }
}
