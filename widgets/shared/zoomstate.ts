import { numbersKind, type Kind } from './address';

const MAX_PX = 1e7;

/** Centre (x, y) and width of what is seen, in pixels of the image; null shows all of it. */
export const VIEW: Kind<number[] | null> = numbersKind(
  3,
  ([x = 0, y = 0, width = 0]) => Math.abs(x) < MAX_PX && Math.abs(y) < MAX_PX && width >= 1 && width < MAX_PX,
);

/** Whether two views are the same to the eye. */
export function sameView(a: number[] | null, b: number[] | null): boolean {
  return a === b || (a !== null && b !== null && a.every((value, at) => Math.abs(value - (b[at] ?? 0)) < 0.06));
}
