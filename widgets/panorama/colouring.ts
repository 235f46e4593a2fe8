import type { LabelTile } from './labelpng';
import { colourIndex, COLOURS } from './palette';

/** A nucleus of a label tile as a disc, in pixels of that tile. */
export interface Disc {
  label: number;
  x: number;
  y: number;
  radius: number;
}

/** Nuclei whose edges are closer than this share of their radii are neighbours. */
const GAP = 0.9;

/**
 * Colours of labels such that neighbours differ. `discs` are those of a panorama's overview, the tile that shows all.
 *
 * Each label keeps its own colour unless a neighbour of lower number has that one; so the same mask has the same colours
 * each time. A label too small for the overview keeps its own.
 */
export function colourNeighbours(discs: Disc[]): Map<number, number> {
  const chosen = new Map<number, number>();
  const widest = discs.reduce((most, { radius }) => Math.max(most, radius), 0);
  const rows = [...discs].sort((a, b) => a.y - b.y);
  const place = new Map(rows.map((disc, at) => [disc.label, at]));
  for (const disc of discs) {
    const limit = (disc.radius + widest) * (1 + GAP);
    const taken = new Set<number>();
    const meet = (other: Disc) => {
      const near = (disc.radius + other.radius) * (1 + GAP);
      const colour = chosen.get(other.label);
      if (colour !== undefined && Math.hypot(disc.x - other.x, disc.y - other.y) < near) taken.add(colour);
    };
    const at = place.get(disc.label) ?? 0;
    for (let up = at - 1; up >= 0; up--) {
      const other = rows[up];
      if (!other || disc.y - other.y > limit) break;
      meet(other);
    }
    for (let down = at + 1; down < rows.length; down++) {
      const other = rows[down];
      if (!other || other.y - disc.y > limit) break;
      meet(other);
    }
    const own = colourIndex(disc.label);
    // Five has no factor in common with twelve: all colours come by.
    const order = COLOURS.map((_, step) => (own + 5 * step) % COLOURS.length);
    chosen.set(disc.label, order.find((colour) => !taken.has(colour)) ?? own);
  }
  return chosen;
}

/** Centre and radius of each label of a tile, in order of the labels. */
export function findDiscs({ width, labels }: LabelTile): Disc[] {
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
