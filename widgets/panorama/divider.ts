import { textElement } from '../shared/elements';

const STEP = 0.02;

/** The line at which two pictures meet: dragged, or moved by arrow keys. */
export class Divider {
  readonly element = textElement('div', '', 'nn-swipe');
  private readonly sides = [textElement('span', '', 'nn-swipe-left'), textElement('span', '', 'nn-swipe-right')];
  private share = 0.5;

  /** `area` is as wide as the pictures. */
  constructor(area: HTMLElement, changed: (share: number) => void) {
    const { element, sides } = this;
    element.tabIndex = 0;
    element.setAttribute('role', 'slider');
    element.setAttribute('aria-valuemin', '0');
    element.setAttribute('aria-valuemax', '100');
    element.append(...sides, textElement('span', '', 'nn-swipe-grip'));
    element.hidden = true;
    const move = (share: number) => {
      changed(Math.round(1000 * Math.min(1, Math.max(0, share))) / 1000);
    };
    element.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      element.focus({ preventScroll: true });
      element.setPointerCapture(event.pointerId);
    });
    element.addEventListener('pointermove', ({ pointerId, clientX }) => {
      if (!element.hasPointerCapture(pointerId)) return;
      const { left, width } = area.getBoundingClientRect();
      move((clientX - left) / width);
    });
    element.addEventListener('keydown', (event) => {
      const to = { ArrowLeft: this.share - STEP, ArrowDown: this.share - STEP, ArrowRight: this.share + STEP, ArrowUp: this.share + STEP, Home: 0, End: 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      move(to);
    });
  }

  /** Shows where the two meet, and what they are; null where they are over one another. */
  show(share: number | null, [left, right]: readonly [string, string]): void {
    const { element, sides } = this;
    element.hidden = share === null;
    if (share === null) return;
    this.share = share;
    element.style.left = `${100 * share}%`;
    element.setAttribute('aria-valuenow', String(Math.round(100 * share)));
    element.setAttribute('aria-valuetext', `${Math.round(100 * share)} % ${left}, the rest ${right}`);
    element.setAttribute('aria-label', `Where ${left} and ${right} meet`);
    [left, right].forEach((text, at) => {
      const side = sides[at];
      if (side) side.textContent = text;
    });
  }
}
