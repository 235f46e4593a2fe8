import { isRecord, numberOf, textOf } from '../shared/json';
import { Problem } from '../shared/problem';
import { nameOf, rounded } from '../shared/text';

/** A cell: where its nucleus is, and what was measured of it. */
export interface Cell {
  panorama: string;
  roi: number;
  areaUm2: number | null;
  meanIntensity: number | null;
  kind: string | null;
}

/** The cells of a mosaic, in reading order; `column` gives what was measured of them. */
export class Names {
  private readonly places: Map<string, number>;

  constructor(
    readonly all: readonly Cell[],
    readonly column: (name: string) => readonly unknown[] | undefined = () => undefined,
  ) {
    this.places = new Map(all.map((cell, at) => [nameOf(cell), at]));
  }

  /** The place of the cell of a nucleus; null where it is none of these. */
  find(panorama: string | null, roi: number | null): number | null {
    return panorama === null || roi === null ? null : (this.places.get(nameOf({ panorama, roi })) ?? null);
  }
}

/** Reads the text of the names' file, which has to name `count` cells. */
export function parseNames(text: string, count: number): Names {
  const damaged = new Problem('The names of the cells are damaged and cannot be read.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged;
  }
  const columns = isRecord(value) && isRecord(value.columns) ? value.columns : {};
  const panoramas: unknown[] = isRecord(value) && Array.isArray(value.panoramas) ? value.panoramas : [];
  const column = (name: string): unknown[] => {
    const values = columns[name];
    return Array.isArray(values) ? values : [];
  };
  const [codes, rois, areas, means, kinds] = [
    column('panorama'), column('roi'), column('area_um2'), column('mean_intensity'), column('class'),
  ] as const;
  if (codes.length !== count || rois.length !== count) throw damaged;
  return new Names(
    codes.map((code, at): Cell => {
      const panorama = typeof code === 'number' ? textOf(panoramas[code]) : null;
      const roi = numberOf(rois[at]);
      if (panorama === null || roi === null) throw damaged;
      return { panorama, roi, areaUm2: numberOf(areas[at]), meanIntensity: numberOf(means[at]), kind: textOf(kinds[at]) };
    }),
    column,
  );
}

/** What is known of a cell, in a line. */
export function cellText({ areaUm2, meanIntensity, kind }: Cell): string {
  const facts: string[] = [];
  if (areaUm2 !== null) facts.push(`${rounded(areaUm2)} µm²`);
  if (meanIntensity !== null) facts.push(`mean ${rounded(meanIntensity)}`);
  if (kind !== null) facts.push(kind);
  return facts.join(' · ');
}
