import { BRUSHED, flagKind, SHARED, type Brushed, type Kinds, type Shared } from '../shared/address';
import { CONTRAST_STATE, type ContrastState } from '../shared/contraststate';
import { VIEW } from '../shared/zoomstate';

/** All that is in a link to a view of a mosaic; the chosen cell is named by its nucleus. */
export interface MosaicState extends Shared, Brushed, ContrastState {
  view: number[] | null;
  /** Whether runs are shown at equal brightness. */
  normalised: boolean;
}

export const MOSAIC_STATE: Kinds<MosaicState> = { ...SHARED, ...BRUSHED, ...CONTRAST_STATE, view: VIEW, normalised: flagKind() };
