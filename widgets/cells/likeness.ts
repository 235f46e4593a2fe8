import { MEASURES, type Measure } from '../shared/measure';

/** Cells of a gallery. */
export const ALIKE = 100;

/** What likeness is of: an image is turned before it is shown, and texture follows from two of the others. */
export const COMPARED: readonly Measure[] = MEASURES.filter(({ column }) => column !== 'orientation_deg' && column !== 'texture');

/**
 * The cells most like one, itself first: by the distance of their measurements, each of which is divided by its standard
 * deviation over all cells. A cell that lacks one of them is like none.
 */
export function mostAlike(cell: number, columns: readonly Float32Array[], count: number): number[] {
  const [first] = columns;
  if (!first) return [];
  const distances = new Float32Array(first.length);
  for (const values of columns) {
    const scale = 1 / deviationOf(values);
    const own = values[cell] ?? Number.NaN;
    for (let at = 0; at < distances.length; at++) distances[at] = (distances[at] ?? 0) + (((values[at] ?? Number.NaN) - own) * scale) ** 2;
  }
  const near = distances.filter((distance) => !Number.isNaN(distance)).sort();
  const most = near[Math.min(count, near.length) - 1] ?? -1;
  const alike: number[] = [];
  for (let at = 0; at < distances.length; at++) if ((distances[at] ?? Number.NaN) <= most) alike.push(at);
  const rank = (one: number) => (one === cell ? -1 : (distances[one] ?? 0));
  return alike.sort((a, b) => rank(a) - rank(b)).slice(0, count);
}

/** The standard deviation of values; 1 where they are all the same. */
function deviationOf(values: Float32Array): number {
  let [count, sum, squares] = [0, 0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    squares += value * value;
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)) || 1;
}
