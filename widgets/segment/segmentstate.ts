import { choiceKind, numberKind, optionalKind, SHARED, textKind, type Kinds } from '../shared/address';
import { CONTRAST_STATE } from '../shared/contraststate';
import { VIEW } from '../shared/zoomstate';
import type { ZoomState } from '../shared/zoomview';

export interface SegmentState extends ZoomState {
  /** Diameter of a nucleus in px; null to look for it. */
  diameter: number | null;
  flow: number;
  cellprob: number;
  /** Pixels a micrometre, where the reader has said so. */
  scale: number | null;
  masks: 'off' | 'fill' | 'outline';
  /** Which of the book's images is open. */
  example: string | null;
}

/** The published thresholds: what `nnbook segment` takes, too. */
export const USUAL = { flow: 0.5, cellprob: -2 };

export const SEGMENT_STATE: Kinds<SegmentState> = {
  ...SHARED,
  ...CONTRAST_STATE,
  view: VIEW,
  diameter: optionalKind(numberKind(1, 100_000, 30)),
  flow: numberKind(0, 3, USUAL.flow),
  cellprob: numberKind(-6, 6, USUAL.cellprob),
  scale: optionalKind(numberKind(0.0001, 100_000, 1)),
  masks: choiceKind(['off', 'fill', 'outline'], 'fill'),
  example: textKind(),
};
