import type { LabelTile } from './labelpng';
import { colourIndex, COLOURS } from './palette';

/** A nucleus as a label tile shows it, in pixels of that tile. */
export interface Body {
  label: number;
  x: number;
  y: number;
  radius: number;
}

/** Nuclei whose edges are closer than this share of their radii are neighbours. */
const GAP = 0.9;

/**
 * Colours of labels such that neighbours differ. `bodies` are those of a panorama's overview, the tile that shows all.
 *
 * Each label keeps its own colour unless a neighbour of lower number has that one; so the same mask has the same colours
 * each time. A label too small for the overview keeps its own.
 */
export function colourNeighbours(bodies: Body[]): Map<number, number> {
  const chosen = new Map<number, number>();
  const widest = bodies.reduce((most, { radius }) => Math.max(most, radius), 0);
  const rows = [...bodies].sort((a, b) => a.y - b.y);
  const place = new Map(rows.map((body, at) => [body.label, at]));
  for (const body of bodies) {
    const reach = (body.radius + widest) * (1 + GAP);
    const taken = new Set<number>();
    const meet = (other: Body) => {
      const near = (body.radius + other.radius) * (1 + GAP);
      const colour = chosen.get(other.label);
      if (colour !== undefined && Math.hypot(body.x - other.x, body.y - other.y) < near) taken.add(colour);
    };
    const at = place.get(body.label) ?? 0;
    for (let up = at - 1; up >= 0; up--) {
      const other = rows[up];
      if (!other || body.y - other.y > reach) break;
      meet(other);
    }
    for (let down = at + 1; down < rows.length; down++) {
      const other = rows[down];
      if (!other || other.y - body.y > reach) break;
      meet(other);
    }
    const own = colourIndex(body.label);
    // Five has no factor in common with twelve: all colours come by.
    const order = COLOURS.map((_, step) => (own + 5 * step) % COLOURS.length);
    chosen.set(body.label, order.find((colour) => !taken.has(colour)) ?? own);
  }
  return chosen;
}

/** Centre and radius of each label of a tile, in order of the labels. */
export function findBodies({ width, labels }: LabelTile): Body[] {
  const sums = new Map<number, { count: number; x: number; y: number }>();
  labels.forEach((label, at) => {
    if (label === 0) return;
    const sum = sums.get(label) ?? { count: 0, x: 0, y: 0 };
    sum.count += 1;
    sum.x += at % width;
    sum.y += Math.floor(at / width);
    sums.set(label, sum);
  });
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([label, { count, x, y }]) => ({ label, x: x / count, y: y / count, radius: Math.sqrt(count / Math.PI) }));
}
