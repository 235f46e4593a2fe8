import type { Labels } from './plane';

/** A closed outline along the sides of pixels, from corner to corner; its first corner is not repeated. */
export type Ring = [number, number][];

/** The outer outlines of a label, one for each of its pieces; pixels that touch by a corner alone are two pieces. */
export function outlinesOf({ width, height, data }: Labels, label: number, left: number, top: number): Ring[] {
  const is = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === label;
  const visited = new Uint8Array((width + 1) * (height + 1));
  const rings: Ring[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // The upper side of a pixel, with the label below it: an outline goes along it to the right.
      if (!is(x, y) || is(x, y - 1) || visited[y * (width + 1) + x]) continue;
      const ring = follow(is, x, y, (u, v) => (visited[v * (width + 1) + u] = 1));
      if (areaOf(ring) > 0) rings.push(ring.map(([u, v]) => [u + left, v + top]));
    }
  }
  return rings;
}

/** Goes round a label with it on the right, from the upper left corner of a pixel. */
function follow(is: (x: number, y: number) => boolean, x: number, y: number, along: (x: number, y: number) => void): Ring {
  const ring: Ring = [];
  let [u, v, dx, dy] = [x, y, 1, 0];
  let before = [0, 0];
  do {
    if (dx !== before[0] || dy !== before[1]) ring.push([u, v]);
    before = [dx, dy];
    if (dx === 1) along(u, v);
    u += dx;
    v += dy;
    // The pixels ahead: on the left and on the right of the way.
    const [aheadLeft, aheadRight] =
      dx === 1 ? [is(u, v - 1), is(u, v)] : dx === -1 ? [is(u - 1, v), is(u - 1, v - 1)] : dy === 1 ? [is(u, v), is(u - 1, v)] : [is(u - 1, v - 1), is(u, v - 1)];
    if (!aheadRight) [dx, dy] = [-dy, dx];
    else if (aheadLeft) [dx, dy] = [dy, -dx];
  } while (u !== x || v !== y || dx !== 1);
  return ring;
}

/** Positive where the label is inside. */
function areaOf(ring: Ring): number {
  return ring.reduce((sum, [ax, ay], at) => {
    const [bx, by] = ring[(at + 1) % ring.length] ?? [ax, ay];
    return sum + ax * by - bx * ay;
  }, 0);
}
