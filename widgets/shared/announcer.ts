import { textElement } from './elements';

/** Quick changes are announced once, by what has come of them. */
const REST_MS = 250;

/** Announces to screen readers what has changed elsewhere in a view. */
export class Announcer {
  readonly element = textElement('p', '', 'nn-hidden');
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(signal: AbortSignal) {
    this.element.setAttribute('role', 'status');
    signal.addEventListener('abort', () => {
      clearTimeout(this.timer);
    });
  }

  announce(text: string): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.element.textContent = text;
    }, REST_MS);
  }
}
