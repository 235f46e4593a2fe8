import type { Labels } from './plane';

/** A closed outline along the sides of pixels, from corner to corner; its first corner is not repeated. */
export type Ring = [number, number][];

/** The outline of a piece, and then those of its holes. */
export type Polygon = Ring[];

/**
 * The outlines of a label, which enclose its pixels and no others; pixels that touch by a corner alone are two pieces.
 * The package does the same: see src/nnbook/io/outlines.py.
 */
export function polygonsOf({ width, height, data }: Labels, label: number, left: number, top: number): Polygon[] {
  const is = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === label;
  const visited = new Uint8Array((width + 1) * (height + 1));
  const polygons: Polygon[] = [];
  const holes: { x: number; y: number; rings: Ring[] }[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // The upper side of a pixel, with the label below it: an outline goes along it to the right.
      if (!is(x, y) || is(x, y - 1) || visited[y * (width + 1) + x]) continue;
      const ring = follow(is, x, y, (u, v) => (visited[v * (width + 1) + u] = 1));
      const rings = simple(ring).sort((one, other) => areaOf(other) - areaOf(one));
      if (areaOf(rings[0] ?? []) > 0) polygons.push(rings);
      else holes.push({ x, y, rings });
    }
  }
  for (const { x, y, rings } of holes) {
    const around = polygons.filter(([ring = []]) => encloses(ring, x, y));
    around.reduce((least, one) => (areaOf(one[0] ?? []) < areaOf(least[0] ?? []) ? one : least)).push(...rings);
  }
  return polygons.map((rings) => rings.map((ring) => ring.map(([u, v]) => [u + left, v + top])));
}

/** Parts an outline where it comes to a corner again: there a hole touches it. */
function simple(ring: Ring): Ring[] {
  const rings: Ring[] = [];
  const way: Ring = [];
  const places = new Map<string, number>();
  for (const corner of ring) {
    const first = places.get(String(corner));
    if (first !== undefined) {
      const part = way.splice(first);
      for (const one of part) places.delete(String(one));
      rings.push(part);
    }
    places.set(String(corner), way.length);
    way.push(corner);
  }
  return [...rings, way];
}

/** Whether an outline goes round a pixel. */
function encloses(ring: Ring, x: number, y: number): boolean {
  return ring.filter(([ax, ay], at) => {
    const [bx, by] = ring[(at + 1) % ring.length] ?? [ax, ay];
    return ax === bx && ax <= x && Math.min(ay, by) <= y && y < Math.max(ay, by);
  }).length % 2 === 1;
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

/** Twice an area, which is above 0 where the outline goes round it, and not round a hole in it. */
function areaOf(ring: Ring): number {
  return ring.reduce((sum, [ax, ay], at) => {
    const [bx, by] = ring[(at + 1) % ring.length] ?? [ax, ay];
    return sum + ax * by - bx * ay;
  }, 0);
}
