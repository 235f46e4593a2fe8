import type { Region } from '../shared/pyramid';
import type { Nuclei, Nucleus } from './nuclei';

/** The nuclei whose centroid is in a part of the panorama. */
export function nucleiIn(nuclei: Nuclei, { x, y, width, height }: Region): Nucleus[] {
  return nuclei.all.filter((one) => one.x >= x && one.y >= y && one.x <= x + width && one.y <= y + height);
}

/** Nuclei as CSV: a row each, all columns of the table, whose names end in their units; with the centroid in um where the scale is known. */
export function csvOf(panorama: string, nuclei: Nuclei, rows: readonly Nucleus[], pxPerUm: number | null): string {
  const first = ['roi', 'x_px', 'y_px'];
  const rest = [...nuclei.columns.keys()].filter((name) => !first.includes(name));
  const um = pxPerUm === null ? [] : ['x_um', 'y_um'];
  const lines = rows.map(({ roi, x, y }) => [
    panorama,
    roi,
    x,
    y,
    ...(pxPerUm === null ? [] : [x, y].map((value) => Number((value / pxPerUm).toFixed(3)))),
    ...rest.map((name) => nuclei.value(roi, name) ?? ''),
  ]);
  return [['panorama', ...first, ...um, ...rest], ...lines].map((line) => line.map(field).join(',')).join('\r\n') + '\r\n';
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
