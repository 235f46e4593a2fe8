import type { ListedPanorama } from '../shared/panoramalist';
import type { CellsCsv } from './celltable';
import type { Collection } from './collection';
import type { Table } from './table';

/** Images of cells in one size. */
export interface Images {
  /** Their width and height. */
  readonly side: number;
  /** How many of those wanted could not be loaded. */
  readonly missing: number;
  get(image: number): Uint8Array | 'failed' | null;
  /** Sets which images are to be there, the most urgent first. */
  want(images: number[]): void;
  /** Tries again what failed. */
  retry(): void;
}

/** What there is to say of images that are not there: nothing, that they come, or why they do not. */
export interface Status {
  text: string;
  failed: boolean;
}

export type CellTable = Pick<Table, 'measures' | 'column' | 'words' | 'facts' | 'find'>;

/** Where cells come from: an edition's own store, or a data set on another host. */
export interface CellSource {
  collection: Collection;
  table: CellTable;
  /** Whether cells can be put in order and chosen by measurements. */
  measured: boolean;
  /** The table of some cells as comma-separated values; null where there is none. */
  csv: ((cells: number[]) => Promise<CellsCsv>) | null;
  /** The cells of a draw by a seed. */
  draw(seed: number): number[];
  /** Images in one size, of which `most` are kept; `arrived` is called for each that has come or could not be loaded. */
  images(size: 'thumbnails' | 'full', most: number, arrived: (image: number) => void): Images;
  /** How the images in view are; `changed` is called when that may be otherwise. */
  status(): Status;
  onStatus(changed: () => void): void;
  /** What there is to see of panoramas, by name; fetched when first called. */
  panoramas(): Promise<Map<string, ListedPanorama>>;
}
