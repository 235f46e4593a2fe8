/** What is at a place of the image; empty where there is nothing of it. */
export interface Pointed {
  /** The name of what is there, a line of facts, and its colour. */
  name: string;
  facts: string;
  colour: string;
  /** Where it is, for the row below the image. */
  position: string;
  /** All of it for a screen reader. */
  spoken: string;
}

/** Shows what is pointed at: beside the pointer and below the image, and to screen readers once the pointer rests. */
export class Readout {
  readonly element = document.createElement('div');
  readonly position = document.createElement('div');
  readonly status = document.createElement('div');
  private readonly name = document.createElement('span');
  private readonly facts = document.createElement('span');
  private readonly swatch = document.createElement('span');
  private timer: ReturnType<typeof setTimeout> | undefined;
  private announced = '';
  private said = '';

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

  /** Shows what is at a place, in CSS pixels of an area `width` wide. */
  show({ name, facts, colour, position, spoken }: Pointed, place: { x: number; y: number }, width: number): void {
    this.element.hidden = name === '';
    this.position.hidden = position === '';
    this.position.textContent = position;
    if (name !== '') {
      this.name.textContent = name;
      this.facts.textContent = facts;
      this.facts.hidden = facts === '';
      this.swatch.hidden = colour === '';
      this.swatch.style.background = colour;
      // On the side of the pointer where there is room.
      const x = place.x > width - this.element.offsetWidth - 24 ? `max(4px - ${place.x}px, -100% - 14px)` : '14px';
      const y = place.y < 80 ? '18px' : 'calc(-100% - 12px)';
      this.element.style.transform = `translate(${place.x}px, ${place.y}px) translate(${x}, ${y})`;
    }
    if (spoken === this.announced) return;
    this.announced = spoken;
    this.speak();
  }

  /** Has a sentence said before what is pointed at, until the reader does something else: '' ends it. */
  say(text: string): void {
    this.said = text;
    if (text !== '') this.speak();
  }

  destroy(): void {
    clearTimeout(this.timer);
  }

  private speak(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.status.textContent = `${this.said} ${this.announced}`.trim();
    }, 300);
  }
}
