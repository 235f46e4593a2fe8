/** A view as the state has it: its centre and its width, in pixels of the image. */
export type Place = readonly [x: number, y: number, width: number];

const HOLD_MS = 500;
const LASTS_MS = 5000;

/**
 * The view on the way from one to another, after so many milliseconds; null once it is there. Each moment zooms by the same
 * factor, but for a soft start and end, and what is gone to moves straight towards the middle.
 */
export function onTheWay(from: Place, to: Place, ms: number): Place | null {
  const share = Math.max(0, (ms - HOLD_MS) / LASTS_MS);
  if (share >= 1) return null;
  const eased = share * share * (3 - 2 * share);
  const width = from[2] * (to[2] / from[2]) ** eased;
  const moved = from[2] === to[2] ? eased : (from[2] - width) / (from[2] - to[2]);
  return [from[0] + (to[0] - from[0]) * moved, from[1] + (to[1] - from[1]) * moved, width];
}

/** Calls `step` in each frame with the milliseconds since the first one in which an element is in view, until that says no. */
export function whileInView(element: HTMLElement, step: (ms: number) => boolean, signal: AbortSignal): void {
  let began: number | null = null;
  const frame = (now: number) => {
    began ??= now;
    if (!signal.aborted && step(now - began)) requestAnimationFrame(frame);
  };
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      requestAnimationFrame(frame);
    },
    { threshold: 0.4 },
  );
  observer.observe(element);
  signal.addEventListener('abort', () => {
    observer.disconnect();
  });
}
