/** Calls `open` once for each element that comes near the part of the page in view. */
export function nearing(selector: string, open: (element: HTMLElement) => Promise<void>): void {
  const waiting = new Set(document.querySelectorAll<HTMLElement>(selector));
  const openOnce = (element: HTMLElement) => {
    observer.unobserve(element);
    if (waiting.delete(element)) void open(element);
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) openOnce(target as HTMLElement);
    },
    { rootMargin: '300px' },
  );
  waiting.forEach((element) => { observer.observe(element); });
  // Paper has no scrolling: what was not reached yet, and has no still picture, has to be opened for it.
  addEventListener('beforeprint', () => {
    waiting.forEach((element) => { if (element.closest('.figure')?.querySelector('.stand-in img') == null) openOnce(element); });
  });
}

/** The data that the server wrote into an element. */
export function dataOf(element: HTMLElement): unknown {
  return JSON.parse(element.querySelector(':scope > script[type="application/json"]')?.textContent ?? 'null');
}

/** Says in the reader's words, in the place itself, why it stays empty. */
export function explain(place: Node & ParentNode, what: string, error: unknown): void {
  const message = document.createElement('p');
  message.setAttribute('role', 'alert');
  message.className = 'failure';
  message.style.cssText = 'margin:0;padding:1rem 1.25rem;font:0.9375rem/1.5 var(--sans);color:var(--ink);border-left:3px solid var(--alarm);background:var(--tint)';
  message.textContent = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  place.replaceChildren(message);
}
