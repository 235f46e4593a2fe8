import type { Nucleus } from './masks';

/*
 * What the view asks of its engine, and hears from it: of a worker, or of a kernel. All images, masks and network output stay
 * there; the view is given tiles of them.
 */

/** Which plane of a file of several is the image. */
export interface Choice {
  channel: number;
  z: number;
  /** Whether, of engines that can do so, the greatest value along all planes is taken in place of one. */
  greatest?: boolean;
}

/** An image that is open. */
export interface Opened {
  name: string;
  width: number;
  height: number;
  /** As files have it: `8 bit`, `32 bit float`. */
  kind: string;
  /** Names of channels, more than one where there is a choice, and how many planes there are. */
  channels: string[];
  planes: number;
  choice: Choice;
  /** The choice as `nnbook segment` takes it, of a kernel. */
  plane?: { channel: string | null; project: string | null };
  pxPerUm: number | null;
  /** What is to be known of how it was read; empty where there is nothing. */
  remark: string;
  /** Grey levels that are shown as black and as white. */
  range: [number, number];
}

export interface Settings {
  /** Diameter of a nucleus in px; null to look for it. */
  diameter: number | null;
  flow: number;
  cellprob: number;
  /** Of an engine that has several methods: which, and its own settings by their names. */
  method?: string;
  values?: Record<string, number>;
}

/** Where on the web the worker's script and the model are, and what runs the model; themselves, of a page that has them inside. */
export interface Parts {
  /** The worker's script. */
  worker: string | Blob;
  model: string | Blob;
  runtime: string | Blob;
  /** The worker's script and the runtime for a graphics card; null where there is none to be used. */
  webgpu: { worker: string; runtime: string } | null;
  modelSha256: string;
  diamMean: number;
}

export type FileKind = 'tiff' | 'png' | 'csv' | 'geojson' | 'rois';

/** Methods of an engine, each with what it is given and what it gives. */
export interface Methods {
  /** Without contents, it is one of the images that the engine has by their names. */
  open(file: Blob | null, name: string, choice: Choice | null): Opened;
  /** A tile of the image as it is shown, grey, row by row. */
  tile(level: number, column: number, row: number): { width: number; height: number; data: Uint8Array<ArrayBuffer> };
  labels(version: number, level: number, column: number, row: number): { width: number; height: number; labels: Uint32Array<ArrayBuffer> };
  grey(x: number, y: number): number;
  /** Segments; what is near the middle of the view, in px, comes first. */
  segment(parts: Parts, settings: Settings, middle: [number, number]): Segmented;
  /** Makes masks anew of the network's output that is kept. */
  rethreshold(settings: Settings): Segmented;
  cancel(): null;
  edit(edit: Edit): Segmented;
  undo(): Segmented;
  /** Does again what was taken back. */
  redo(): Segmented;
  save(kind: FileKind, pxPerUm: number | null): Blob;
}

/** Masks that were made; tiles of them are asked for by their version. */
export interface Segmented {
  version: number;
  nuclei: Nucleus[];
  /** The diameter that was used, in px; 0 where no nucleus was found. */
  diameter: number;
  seconds: number;
  /** Where the network ran, in words. */
  device: string;
  /** Corrections that there are, and how many were taken back and can be done again. */
  edits: number;
  undone: number;
}

/** A correction by hand; places are in px of the image. */
export type Edit =
  | { kind: 'delete'; roi: number }
  | { kind: 'merge'; rois: number[] }
  | { kind: 'split'; roi: number; line: [number, number][] }
  | { kind: 'draw'; roi: number | null; outline: [number, number][] }
  | { kind: 'brush'; roi: number; path: [number, number][]; radius: number; erase: boolean };

/** How far something is, while it is not done. */
export interface Progress {
  what: string;
  share: number;
}

export type Answer =
  | { id: number; given: unknown }
  | { id: number; problem: string; canceled?: boolean }
  | { progress: Progress }
  | { version: number; nuclei: number }
  | { remark: string };
