import { isRecord, numberOf, resolve, textOf } from '../shared/json';
import type { Panorama } from './panoramas';

/** Reads the text of a `panoramas.json`: the panoramas that have a preview, by name. A damaged one has none. */
export function parsePreviews(text: string, address: string): Map<string, Panorama> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Map();
  }
  const columns = isRecord(value) && isRecord(value.columns) ? value.columns : {};
  const cell = (name: string, row: number): unknown => {
    const column = columns[name];
    return Array.isArray(column) ? column[row] : null;
  };
  const previews = new Map<string, Panorama>();
  const count = Array.isArray(columns.panorama) ? columns.panorama.length : 0;
  for (let row = 0; row < count; row++) {
    const name = textOf(cell('panorama', row));
    const intensity = resolve(textOf(cell('preview', row)), address);
    if (name === null || intensity === null) continue;
    previews.set(name, {
      name,
      // Of the panorama, where told; else the preview's own.
      width: numberOf(cell('width_px', row)) ?? 0,
      height: numberOf(cell('height_px', row)) ?? 0,
      pxPerUm: numberOf(cell('px_per_um', row)),
      intensity,
      labels: null,
      nuclei: null,
      preview: true,
      rank: numberOf(cell('rank', row)),
      distance: null,
      rois: numberOf(cell('num_rois', row)),
      meanIntensity: numberOf(cell('mean_intensity', row)),
      stdIntensity: numberOf(cell('std_intensity', row)),
    });
  }
  return previews;
}
