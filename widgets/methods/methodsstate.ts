import { SHARED, textKind, type Kinds, type Shared } from '../shared/address';
import { CONTRAST_STATE, type ContrastState } from '../shared/contraststate';
import { VIEW } from '../shared/zoomstate';

/** All that is in a link to a view of methods. */
export interface MethodsState extends Shared, ContrastState {
  /** Centre (x, y) and width of what is seen, in pixels of the image; null shows all of it. */
  view: number[] | null;
  /** The method that is shown large; null is the first, and `truth` the true nuclei. */
  method: string | null;
}

export const METHODS_STATE: Kinds<MethodsState> = { ...SHARED, ...CONTRAST_STATE, view: VIEW, method: textKind() };
