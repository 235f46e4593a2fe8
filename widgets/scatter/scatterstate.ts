import { BRUSHED, choiceKind, flagKind, numbersKind, SHARED, type Brushed, type Kinds, type Shared } from '../shared/address';
import { BY, type By } from './colours';

/** All that is in a link to a view of the plane. */
export interface ScatterState extends Shared, Brushed {
  /** The part of the plane that is shown, from and to in x and in y; null shows all of it. */
  axes: number[] | null;
  by: By;
  /** Whether the table is shown in place of the plane. */
  table: boolean;
}

export const SCATTER_STATE: Kinds<ScatterState> = {
  ...SHARED,
  ...BRUSHED,
  axes: numbersKind(4, ([x0 = 0, x1 = 0, y0 = 0, y1 = 0]) => x0 < x1 && y0 < y1),
  by: choiceKind(BY, 'std'),
  table: flagKind(),
};
