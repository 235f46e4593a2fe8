import { BRUSHED, countKind, numberKind, readableKind, SHARED, textKind, type Brushed, type Kind, type Kinds, type Shared } from '../shared/address';
import { CONTRAST_STATE, type ContrastState } from '../shared/contraststate';
import { parseOrder } from './choice';

/** All that is in a link to a view of cells. */
export interface CellState extends Shared, Brushed, ContrastState {
  /** The seed of the draw. */
  draw: number | null;
  /** What is in the names of the cells that are shown in place of a draw. */
  find: string | null;
  /** The name of a cell, such as `PANORAMA_ROI_12`: those most like it are shown in place of a draw. */
  like: string | null;
  /** By what cells are ordered; see `parseOrder`. */
  sort: string | null;
  /** The only run whose cells are shown. */
  run: number | null;
  /** Width of a cell, in pixels of the page. */
  size: number;
  /** Place in the order of the first cell in view, from 1. */
  at: number | null;
}

export const SIZE = { least: 40, most: 232, usual: 72, step: 8 };

export const CELL_STATE: Kinds<CellState> = {
  ...SHARED,
  ...BRUSHED,
  ...CONTRAST_STATE,
  draw: seedKind(),
  find: textKind(),
  like: textKind(),
  sort: readableKind(parseOrder),
  run: countKind(),
  size: numberKind(SIZE.least, SIZE.most, SIZE.usual),
  at: countKind(),
};

/** The panorama and the number of a cell by its name; null where that is none. */
export function nucleusOf(name: string): { panorama: string; roi: number } | null {
  const [, panorama, roi] = /^(.+)_ROI_([1-9]\d{0,8})$/.exec(name) ?? [];
  return panorama === undefined || roi === undefined ? null : { panorama, roi: Number(roi) };
}

/** A seed: a whole number from 1 to before 2 to the power of 32. */
function seedKind(): Kind<number | null> {
  const count = countKind();
  const seed = (value: number | null | undefined) => (typeof value === 'number' && value < 2 ** 32 ? value : undefined);
  return { ...count, parse: (text) => seed(count.parse(text)), accept: (value) => seed(count.accept(value)) };
}
