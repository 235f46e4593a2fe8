import type { Place } from './axes';

/** Places of many points, as two columns. */
export interface Places {
  x: Float64Array;
  y: Float64Array;
}

/** The point nearest to a place and at most `limit` away, or -1. Of two that are equally near, the one drawn on top. */
export function nearest({ x, y }: Places, place: Place, limit: number): number {
  let [found, least] = [-1, limit * limit];
  for (let at = 0; at < x.length; at++) {
    const [dx, dy] = [(x[at] ?? 0) - place.x, (y[at] ?? 0) - place.y];
    const distance = dx * dx + dy * dy;
    if (distance <= least) [found, least] = [at, distance];
  }
  return found;
}

/** The point that an arrow key leads to from another: the nearest within 45 degrees of its direction, or -1. */
export function nearestTowards({ x, y }: Places, from: number, direction: Place): number {
  const [fromX, fromY] = [x[from] ?? 0, y[from] ?? 0];
  let [found, least] = [-1, Infinity];
  for (let at = 0; at < x.length; at++) {
    const [dx, dy] = [(x[at] ?? 0) - fromX, (y[at] ?? 0) - fromY];
    const along = dx * direction.x + dy * direction.y;
    const beside = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
    if (at === from || along <= 0 || beside > along) continue;
    const cost = along + beside;
    if (cost < least) [found, least] = [at, cost];
  }
  return found;
}

/** A path with fewer corners that nowhere leaves the given one by more than a tolerance (Douglas and Peucker). */
export function simplified(path: Place[], tolerance: number): Place[] {
  const [first] = path;
  const last = path.at(-1);
  if (path.length < 3 || !first || !last) return path;
  let [farthest, most] = [0, tolerance];
  path.forEach((place, at) => {
    const distance = distanceToSegment(place, first, last);
    if (distance > most) [farthest, most] = [at, distance];
  });
  if (farthest === 0) return [first, last];
  return [...simplified(path.slice(0, farthest + 1), tolerance).slice(0, -1), ...simplified(path.slice(farthest), tolerance)];
}

function distanceToSegment({ x, y }: Place, from: Place, to: Place): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
  return Math.hypot(x - from.x - share * dx, y - from.y - share * dy);
}

/** A rectangle by its middle. */
export interface Box extends Place {
  width: number;
  height: number;
}

const DISTANCES = [15, 24, 36, 50, 66, 84];
const DIRECTIONS = 16;

/**
 * Finds a place for each label near its point, in the order given, so that no two labels cover each other.
 *
 * Each is tried outwards, away from `middle`, first. A label without room gets null.
 */
export function placeLabels(
  labels: { at: Place; width: number; height: number }[],
  middle: Place,
  taken: Box[],
  frame: { left: number; top: number; width: number; height: number },
): (Box | null)[] {
  const boxes = [...taken];
  return labels.map(({ at, width, height }) => {
    const outwards = Math.atan2(at.y - middle.y, at.x - middle.x);
    for (const distance of DISTANCES) {
      for (let turn = 0; turn < DIRECTIONS; turn++) {
        const side = (turn % 2 === 0 ? 1 : -1) * Math.ceil(turn / 2);
        const angle = outwards + (side / DIRECTIONS) * 2 * Math.PI;
        const box = { x: at.x + distance * Math.cos(angle), y: at.y + distance * Math.sin(angle), width, height };
        if (!fits(box, frame) || boxes.some((other) => overlap(box, other))) continue;
        boxes.push(box);
        return box;
      }
    }
    return null;
  });
}

function overlap(a: Box, b: Box): boolean {
  return Math.abs(a.x - b.x) * 2 < a.width + b.width && Math.abs(a.y - b.y) * 2 < a.height + b.height;
}

function fits(box: Box, frame: { left: number; top: number; width: number; height: number }): boolean {
  return (
    box.x - box.width / 2 >= frame.left &&
    box.x + box.width / 2 <= frame.left + frame.width &&
    box.y - box.height / 2 >= frame.top &&
    box.y + box.height / 2 <= frame.top + frame.height
  );
}
