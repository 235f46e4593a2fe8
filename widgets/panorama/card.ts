import { copyLink } from '../shared/copylink';
import { iconButton, textElement } from '../shared/elements';
import { lengthText } from '../shared/scalebar';
import { grouped, rounded } from '../shared/text';
import { CELL_PX } from './cellimage';
import type { Nucleus } from './nuclei';

export interface CardEvents {
  step(step: 1 | -1): void;
  zoomTo(): void;
  close(): void;
  /** The address that shows this nucleus; null where the view has none of its own. */
  link: (() => string) | null;
}

/** The chosen nucleus: its cell image and what was measured of it. */
export class Card {
  readonly element = document.createElement('section');
  private readonly heading = textElement('h3', '', 'nn-card-name');
  private readonly name = document.createElement('span');
  private readonly swatch = document.createElement('span');
  private readonly picture = document.createElement('div');
  private readonly caption = textElement('p', '', 'nn-note');
  private readonly facts = document.createElement('dl');
  private readonly copied = textElement('p', '', 'nn-copied');
  private readonly stepping: HTMLButtonElement[];

  constructor(events: CardEvents) {
    this.element.className = 'nn-card';
    this.element.hidden = true;
    this.element.setAttribute('aria-label', 'Chosen nucleus');
    this.swatch.className = 'nn-swatch';
    this.heading.tabIndex = -1;
    this.heading.append(this.swatch, this.name);
    this.picture.className = 'nn-cell';
    this.copied.setAttribute('role', 'status');
    const step = (name: string, icon: string, by: 1 | -1) =>
      iconButton(name, icon, () => {
        events.step(by);
      });
    this.stepping = [step('Previous nucleus', 'M15 5l-7 7 7 7', -1), step('Next nucleus', 'M9 5l7 7-7 7', 1)];
    const head = document.createElement('div');
    head.className = 'nn-card-head';
    const close = iconButton('Close', 'M6 6l12 12M18 6L6 18', () => {
      events.close();
    });
    head.append(this.heading, ...this.stepping, close);
    const actions = document.createElement('div');
    actions.className = 'nn-card-actions';
    actions.append(
      action('Zoom to it', () => {
        events.zoomTo();
      }),
    );
    const { link } = events;
    if (link) actions.append(action('Copy link', () => void copyLink(link(), this.copied, 'Link to this nucleus')));
    const told = document.createElement('div');
    told.className = 'nn-card-told';
    told.append(this.facts, this.caption, actions, this.copied);
    this.element.append(head, this.picture, told);
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      events.close();
    });
  }

  /** Shows what is known of a nucleus by now; `nucleus` is null while that is little. */
  show(roi: number, nucleus: Nucleus | null, colour: string, pxPerUm: number | null, count: number | null): void {
    this.element.hidden = false;
    this.name.textContent = `ROI ${roi}`;
    this.swatch.style.background = colour;
    this.copied.replaceChildren();
    for (const button of this.stepping) button.disabled = count === null || count < 2;
    const rows: [string, string | null][] = [
      ['Area', number(nucleus?.areaUm2, ' µm²')],
      ['Mean intensity', number(nucleus?.meanIntensity)],
      ['SD of intensity', number(nucleus?.stdIntensity)],
      ['Class', nucleus?.kind ?? null],
      ['Centroid', nucleus ? `${grouped(Math.round(nucleus.x))}, ${grouped(Math.round(nucleus.y))} px` : null],
    ];
    this.facts.replaceChildren(
      ...rows.flatMap(([name, value]) => (value === null ? [] : [textElement('dt', name), textElement('dd', value)])),
    );
    const side = pxPerUm === null ? '' : `, ${lengthText(CELL_PX / pxPerUm)}`;
    this.caption.textContent = `Cell image: ${CELL_PX} × ${CELL_PX} px${side} wide, black outside of the mask.`;
  }

  /** The colour of its mask may become known late. */
  colour(colour: string): void {
    this.swatch.style.background = colour;
  }

  /** Shows the cell image, or what is said in its place. */
  showCell(cell: HTMLCanvasElement | string): void {
    if (typeof cell !== 'string') {
      cell.setAttribute('role', 'img');
      cell.setAttribute('aria-label', `Cell image of ${this.name.textContent}`);
    }
    this.picture.replaceChildren(typeof cell === 'string' ? textElement('p', cell) : cell);
  }

  hide(): void {
    this.element.hidden = true;
    this.picture.replaceChildren();
  }

  focus(): void {
    this.heading.focus();
  }
}

function number(value: number | null | undefined, unit = ''): string | null {
  return value === null || value === undefined ? null : `${rounded(value)}${unit}`;
}

function action(name: string, act: () => void): HTMLElement {
  const button = textElement('button', name, 'nn-button') as HTMLButtonElement;
  button.type = 'button';
  button.addEventListener('click', act);
  return button;
}
