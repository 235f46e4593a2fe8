export type Polygon = [number, number][];

/** Whether a place is inside a polygon, by the even-odd rule; its edges count as inside on two of their sides. */
export function isInside(polygon: readonly (readonly [number, number])[], x: number, y: number): boolean {
  let inside = false;
  let [beforeX, beforeY] = polygon.at(-1) ?? [0, 0];
  for (const [cornerX, cornerY] of polygon) {
    if (cornerY > y !== beforeY > y && x < ((beforeX - cornerX) * (y - cornerY)) / (beforeY - cornerY) + cornerX) {
      inside = !inside;
    }
    [beforeX, beforeY] = [cornerX, cornerY];
  }
  return inside;
}

/** Which points of two columns are inside a polygon, 1 or 0 each; one without a value is not. */
export function allInside(polygon: Polygon, xs: ArrayLike<number>, ys: ArrayLike<number>): Uint8Array {
  const inside = new Uint8Array(xs.length);
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of polygon) [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  for (let at = 0; at < inside.length; at++) {
    const [x, y] = [xs[at] ?? Number.NaN, ys[at] ?? Number.NaN];
    // Most are outside of the box, which is much quicker to see.
    if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && isInside(polygon, x, y)) inside[at] = 1;
  }
  return inside;
}
