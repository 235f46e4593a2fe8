import { fetchText } from '../shared/files';
import { isRecord, numberOf, textOf } from '../shared/json';
import { Problem } from '../shared/problem';
import { rounded } from '../shared/text';

/** What was measured of a nucleus; null where it was not. Lengths are in pixels of the panorama. */
export interface Nucleus {
  /** Its number, which is its label in the mask. */
  roi: number;
  /** The centroid, the upper left corner of the box around it where that is known, and the size of the box. */
  x: number;
  y: number;
  left: number | null;
  top: number | null;
  width: number;
  height: number;
  areaUm2: number | null;
  meanIntensity: number | null;
  stdIntensity: number | null;
  /** Its class, where known. */
  kind: string | null;
}

/** What one column of the table has, row by row. */
export type Column = readonly (number | string | null)[];

/** The nuclei of a panorama in order of their numbers. */
export class Nuclei {
  private readonly places: Map<number, number>;

  /** `columns` are those of the table, in the order of `all`. */
  constructor(
    readonly all: readonly Nucleus[],
    readonly columns: ReadonlyMap<string, Column> = new Map(),
  ) {
    this.places = new Map(all.map(({ roi }, at) => [roi, at]));
  }

  /** What the table has of a nucleus in one of its columns. */
  value(roi: number, column: string): number | string | null {
    return this.columns.get(column)?.[this.placeOf(roi)] ?? null;
  }

  get(roi: number): Nucleus | null {
    return this.all[this.placeOf(roi)] ?? null;
  }

  /** The row of a nucleus in the table; -1 where it has none. */
  placeOf(roi: number): number {
    return this.places.get(roi) ?? -1;
  }

  /** The number that comes `step` nuclei after another, from the last on to the first. */
  next(roi: number, step: number): number | null {
    const count = this.all.length;
    const place = this.places.get(roi);
    const at = place === undefined ? (step > 0 ? 0 : count - 1) : (place + step + count) % count;
    return this.all[at]?.roi ?? null;
  }
}

export async function fetchNuclei(address: string, signal: AbortSignal): Promise<Nuclei> {
  return parseNuclei(await fetchText(address, 'The measurements of the nuclei', signal));
}

/** Reads the text of a `nuclei.json`. */
export function parseNuclei(text: string): Nuclei {
  const damaged = new Problem('The measurements of the nuclei are damaged and cannot be read.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged;
  }
  const columns = isRecord(value) && isRecord(value.columns) ? value.columns : null;
  if (!columns || !Array.isArray(columns.roi)) throw damaged;
  const cell = (name: string, row: number): unknown => {
    const column = columns[name];
    return Array.isArray(column) ? column[row] : null;
  };
  const nuclei = columns.roi.map((roi: unknown, row): Nucleus => {
    const [number, x, y] = [numberOf(roi), numberOf(cell('x_px', row)), numberOf(cell('y_px', row))];
    if (number === null || x === null || y === null) throw damaged;
    return {
      roi: number,
      x,
      y,
      left: numberOf(cell('left_px', row)),
      top: numberOf(cell('top_px', row)),
      width: numberOf(cell('width_px', row)) ?? 0,
      height: numberOf(cell('height_px', row)) ?? 0,
      areaUm2: numberOf(cell('area_um2', row)),
      meanIntensity: numberOf(cell('mean_intensity', row)),
      stdIntensity: numberOf(cell('std_intensity', row)),
      kind: textOf(cell('class', row)),
    };
  });
  const order = nuclei.map((_, row) => row).sort((a, b) => (nuclei[a]?.roi ?? 0) - (nuclei[b]?.roi ?? 0));
  const sorted = Object.entries(columns).map(([name, column]): [string, Column] => {
    const values: unknown[] = Array.isArray(column) ? column : [];
    return [name, order.map((row) => numberOf(values[row]) ?? textOf(values[row]))];
  });
  return new Nuclei(order.flatMap((row) => nuclei[row] ?? []), new Map(sorted));
}

/** Width and height of a cell image, in pixels of the panorama. */
export const CELL_PX = 256;

/** Why a nucleus of a panorama of this size gives no cell; null where it gives one, or that is not known. */
export function whyNoCell({ left, top, width, height }: Nucleus, size: { width: number; height: number }): string | null {
  if (left === null || top === null || size.width === 0 || size.height === 0) return null;
  const atEdge = left <= 0 || top <= 0 || left + width >= size.width || top + height >= size.height;
  if (atEdge) return 'It has no cell image: the edge of the panorama cuts it.';
  // Cells are turned before they are cut out, so one that is longer than the frame's diagonal never fits.
  return Math.max(width, height) > CELL_PX * Math.SQRT2 ? 'It has no cell image: it is larger than the frame.' : null;
}

/** What is known of a nucleus, in a line; empty where nothing is. */
export function nucleusText({ areaUm2, meanIntensity, stdIntensity, kind }: Nucleus): string {
  const facts: string[] = [];
  if (areaUm2 !== null) facts.push(`${rounded(areaUm2)} µm²`);
  if (meanIntensity !== null) {
    facts.push(`mean ${rounded(meanIntensity)}${stdIntensity === null ? '' : ` ± ${rounded(stdIntensity)}`}`);
  }
  if (kind !== null) facts.push(kind);
  return facts.join(' · ');
}
