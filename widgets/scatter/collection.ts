import type { ListedPanorama } from '../shared/panoramalist';
import { Problem } from '../shared/problem';

/** A panorama whose nuclei are counted. */
export interface Panorama extends ListedPanorama {
  rois: number;
}

/** A panorama's place in the plane. */
export interface Point {
  panorama: Panorama;
  /** Nuclei. */
  x: number;
  /** Mean grey level. */
  y: number;
}

/** The same panoramas, all of which must have a number of nuclei. */
export function counted(panoramas: ListedPanorama[]): Panorama[] {
  return panoramas.map((panorama) => {
    const { name, rois } = panorama;
    if (rois === null) throw new Problem(`The table of panoramas is damaged: ${name} has no number of nuclei.`);
    return { ...panorama, rois };
  });
}

/** The places of those panoramas that have one. */
export function pointsOf(panoramas: Panorama[]): Point[] {
  return panoramas.flatMap((panorama) =>
    panorama.mean === null ? [] : [{ panorama, x: panorama.rois, y: panorama.mean }],
  );
}

/** What several panoramas are on average; null without any. */
export interface Averages {
  count: number;
  nuclei: number;
  x: number;
  y: number;
  spread: number | null;
}

export function averagesOf(points: Point[]): Averages | null {
  if (points.length === 0) return null;
  const nuclei = sum(points.map(({ x }) => x));
  const spreads = points.flatMap(({ panorama: { spread } }) => (spread === null ? [] : [spread]));
  return {
    count: points.length,
    nuclei,
    x: nuclei / points.length,
    y: sum(points.map(({ y }) => y)) / points.length,
    spread: spreads.length > 0 ? sum(spreads) / spreads.length : null,
  };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
