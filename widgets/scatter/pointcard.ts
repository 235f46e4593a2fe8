import { textElement } from '../shared/elements';

/** What a card says of a point. */
export interface PointFacts {
  /** Empty where the point has none. */
  name: string;
  facts: string[];
  /** Whether there is a picture of it. */
  pictured: boolean;
}

/** A picture of a point; null shows none. */
export interface PointPicture<T> {
  readonly element: HTMLElement;
  show(of: T | null): void;
}

const THUMBNAIL_MS = 120;

/** The card beside a point that is pointed at: its name, values and a picture. */
export class PointCard<T> {
  readonly element = document.createElement('div');
  private readonly name = textElement('strong', '');
  private readonly facts = textElement('span', '');
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly picture: PointPicture<T>,
    private readonly describe: (of: T) => PointFacts,
    signal: AbortSignal,
  ) {
    const { element } = this;
    element.className = 'nn-card';
    element.setAttribute('aria-hidden', 'true');
    element.hidden = true;
    picture.element.addEventListener('error', () => {
      element.classList.remove('nn-pictured');
    });
    element.append(picture.element, this.name, this.facts);
    signal.addEventListener('abort', () => {
      clearTimeout(this.timer);
    });
  }

  /** Shows a point beside a place of an area of that size; null hides the card. */
  show(of: T | null, place: { x: number; y: number }, area: { width: number; height: number }): void {
    clearTimeout(this.timer);
    this.element.hidden = of === null;
    if (of === null) return;
    const { name, facts, pictured } = this.describe(of);
    this.name.textContent = name;
    this.name.hidden = name === '';
    this.facts.textContent = facts.join('\n');
    this.element.classList.toggle('nn-pictured', pictured);
    this.picture.show(null);
    // A pointer that only passes over points loads no pictures.
    this.timer = setTimeout(() => {
      this.picture.show(of);
    }, THUMBNAIL_MS);
    const right = place.x > area.width / 2;
    const low = place.y > area.height / 2;
    this.element.style.left = right ? 'auto' : `${Math.round(place.x + 16)}px`;
    this.element.style.right = right ? `${Math.round(area.width - place.x + 16)}px` : 'auto';
    this.element.style.top = low ? 'auto' : `${Math.round(Math.max(0, place.y - 12))}px`;
    this.element.style.bottom = low ? `${Math.round(Math.max(0, area.height - place.y - 12))}px` : 'auto';
  }
}
