/** A measured column by which nuclei are laid out, sorted and filtered. */
export interface Measure {
  column: string;
  name: string;
  unit: string;
}

export const MEASURES: readonly Measure[] = [
  { column: 'area_um2', name: 'Area', unit: 'µm²' },
  { column: 'mean_intensity', name: 'Mean intensity', unit: '' },
  { column: 'std_intensity', name: 'Standard deviation of intensity', unit: '' },
  { column: 'texture', name: 'Texture', unit: '' },
  { column: 'elongation', name: 'Elongation', unit: '' },
  { column: 'orientation_deg', name: 'Orientation', unit: '°' },
  { column: 'rim_um', name: 'Rim of the mask', unit: 'µm' },
];

/** The standard deviation of grey levels as a share of their mean, which a change of brightness leaves as it is. */
export const TEXTURE = { column: 'texture', of: ['std_intensity', 'mean_intensity'] as const };

export function quotient(value: number, by: number): number {
  return by > 0 ? value / by : Number.NaN;
}
