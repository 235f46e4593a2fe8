import { BRUSHED, choiceKind, flagKind, numberKind, numbersKind, optionalKind, SHARED, textKind, type Brushed, type Kinds, type Shared } from '../shared/address';
import { CONTRAST_STATE, type ContrastState } from '../shared/contraststate';
import { VIEW } from '../shared/zoomstate';
import type { MaskStyle } from './paint';

export type Masks = MaskStyle | 'off';

/** All that is in a link to a view of a panorama. */
export interface ViewState extends Shared, Brushed, ContrastState {
  /** Centre (x, y) and width of what is seen, in pixels of the panorama; null shows all of it. */
  view: number[] | null;
  masks: Masks;
  /** How far masks hide the image, 0 to 1; null is what suits their style. */
  opacity: number | null;
  /** The column of the table that masks are coloured by; null gives neighbours different colours. */
  by: string | null;
  /** Whether the truth is shown with the masks, where it is known. */
  truth: boolean;
  /** Share of the width at which image and masks, or masks and truth, meet; null shows them over one another. */
  swipe: number | null;
  /** The line of the ruler: x and y of its two ends, in pixels of the panorama. */
  ruler: number[] | null;
}

export const VIEW_STATE: Kinds<ViewState> = {
  ...SHARED,
  ...BRUSHED,
  ...CONTRAST_STATE,
  view: VIEW,
  masks: choiceKind(['fill', 'outline', 'off'], 'fill'),
  opacity: optionalKind(numberKind(0, 1, 0)),
  by: { ...textKind(), parameter: 'column' },
  truth: flagKind(),
  swipe: optionalKind(numberKind(0, 1, 0)),
  ruler: numbersKind(4, (values) => values.every((value) => value >= 0 && value < 1e7)),
};
