import { grouped } from '../shared/text';
import type { GreyValue } from './greyvalue';

/** What is at a place of the panorama. */
export interface Pointed {
  /** The image pixel, or null beside the image. */
  pixel: { x: number; y: number } | null;
  grey: GreyValue | null;
  /** The nucleus there, 0 for none, with its colour and what is known of it. */
  label: number;
  colour: string;
  facts: string;
}

/** Says what is pointed at: beside the pointer and in a corner, and to screen readers once the pointer rests. */
export class Readout {
  readonly element = document.createElement('div');
  readonly position = document.createElement('div');
  readonly status = document.createElement('div');
  private readonly name = document.createElement('span');
  private readonly facts = document.createElement('span');
  private readonly swatch = document.createElement('span');
  private timer: ReturnType<typeof setTimeout> | undefined;
  private told = '';

  constructor() {
    this.element.className = 'nn-readout';
    this.element.setAttribute('aria-hidden', 'true');
    this.swatch.className = 'nn-swatch';
    this.name.className = 'nn-readout-name';
    this.facts.className = 'nn-readout-facts';
    this.element.append(this.swatch, this.name, this.facts);
    this.element.hidden = true;
    this.position.className = 'nn-position';
    this.position.setAttribute('aria-hidden', 'true');
    this.position.hidden = true;
    this.status.className = 'nn-hidden';
    this.status.setAttribute('role', 'status');
  }

  /** Shows what is at a place, in CSS pixels of an area `width` wide; null where nothing is pointed at. */
  show(pointed: Pointed | null, place: { x: number; y: number }, width: number, spoken: string): void {
    const { label = 0, colour = '', facts = '', pixel = null, grey = null } = pointed ?? {};
    this.element.hidden = label === 0;
    this.position.hidden = pixel === null;
    if (pixel) this.position.textContent = `x ${grouped(pixel.x)}  y ${grouped(pixel.y)} px${greyText(grey)}`;
    if (label !== 0) {
      this.name.textContent = `ROI ${label}`;
      this.facts.textContent = facts;
      this.facts.hidden = facts === '';
      this.swatch.style.background = colour;
      // On the side of the pointer where there is room.
      const x = place.x > width - this.element.offsetWidth - 24 ? `max(4px - ${place.x}px, -100% - 14px)` : '14px';
      const y = place.y < 80 ? '18px' : 'calc(-100% - 12px)';
      this.element.style.transform = `translate(${place.x}px, ${place.y}px) translate(${x}, ${y})`;
    }
    const nucleus = label === 0 ? '' : `ROI ${label}${facts === '' ? '' : `, ${facts}`}.`;
    const text = [spoken, nucleus].filter(Boolean).join(' ');
    if (text === this.told) return;
    this.told = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.status.textContent = text;
    }, 300);
  }

  destroy(): void {
    clearTimeout(this.timer);
  }
}

function greyText(value: GreyValue | null): string {
  return value === null ? '' : ` · grey ${value.exact ? '' : '≈ '}${value.grey}`;
}
