import { labelColour } from './palette';

/** Says which nucleus is pointed at: beside the pointer, and to screen readers once the pointer rests. */
export class Readout {
  readonly element = document.createElement('div');
  readonly status = document.createElement('div');
  private readonly text = document.createElement('span');
  private readonly swatch = document.createElement('span');
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.element.className = 'nn-readout';
    this.element.setAttribute('aria-hidden', 'true');
    this.swatch.className = 'nn-swatch';
    this.element.append(this.swatch, this.text);
    this.element.hidden = true;
    this.status.className = 'nn-hidden';
    this.status.setAttribute('role', 'status');
  }

  /** Shows a label at a place in CSS pixels of an area `width` wide; 0 shows nothing. */
  show(label: number, place: { x: number; y: number }, width: number): void {
    this.element.hidden = label === 0;
    if (label !== 0) {
      this.text.textContent = `ROI ${label}`;
      this.swatch.style.background = labelColour(label);
      // On the side of the pointer where there is room.
      const x = place.x > width - 130 ? `calc(${place.x - 14}px - 100%)` : `${place.x + 14}px`;
      const y = place.y < 60 ? `${place.y + 18}px` : `calc(${place.y - 12}px - 100%)`;
      this.element.style.transform = `translate(${x}, ${y})`;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.status.textContent = label === 0 ? '' : `ROI ${label}`;
    }, 300);
  }

  destroy(): void {
    clearTimeout(this.timer);
  }
}
