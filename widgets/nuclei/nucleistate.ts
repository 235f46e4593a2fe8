import { BRUSHED, choiceKind, numbersKind, SHARED, type Brushed, type Kinds, type Shared } from '../shared/address';
import { MEASURES } from '../shared/measure';

const COLUMNS = MEASURES.map(({ column }) => column);

/** All that is in a link to a view of nuclei in a plane. */
export interface NucleiState extends Shared, Brushed {
  /** The measurements across and upwards. */
  x: string;
  y: string;
  /** What colours show: a measurement, `count` (how many nuclei there are) or `run`. */
  by: string;
  /** The part of the plane that is shown, from and to in x and in y; null shows all of it. */
  axes: number[] | null;
}

export const NUCLEI_STATE: Kinds<NucleiState> = {
  ...SHARED,
  ...BRUSHED,
  x: choiceKind<string>(COLUMNS, 'area_um2'),
  y: choiceKind<string>(COLUMNS, 'mean_intensity'),
  by: choiceKind<string>(['count', 'run', ...COLUMNS], 'count'),
  axes: numbersKind(4, ([x0 = 0, x1 = 0, y0 = 0, y1 = 0]) => x0 < x1 && y0 < y1),
};
