// What the plugins read and write: MyST's syntax tree, and the files of an edition.

/** A node of a page's syntax tree, with the fields that the plugins read or write. */
export interface Node {
  type: string;
  children?: Node[];
  value?: string;
  kind?: string;
  class?: string;
  position?: Position;
  identifier?: string;
  label?: string;
  enumerator?: string;
  title?: string;
  url?: string;
  internal?: boolean;
  remote?: boolean;
  static?: boolean;
  placeholder?: boolean;
  width?: string;
  header?: boolean;
  alt?: string;
  sync?: string;
  selected?: boolean;
  align?: string;
  ordered?: boolean;
  esm?: string;
  model?: Record<string, unknown>;
  jupyter_data?: { data?: Record<string, unknown> };
}

export interface Position { start: { line: number; column?: number } }

/** The page that a tree belongs to; MyST stops at a message that is fatal. */
export interface Page {
  path?: string;
  message: (text: string, place?: Position) => { fatal?: boolean | null };
}

export interface Selectors {
  select: (selector: string, tree: Node) => Node | null;
  selectAll: (selector: string, tree: Node) => Node[];
}

interface Content { type: StringConstructor; required: boolean; doc: string }

export interface Role {
  name: string;
  doc: string;
  body: Content;
  run: (data: { body: string; node: { position?: Position } }) => Node[];
}

export interface Directive {
  name: string;
  doc: string;
  arg: Content;
  run: (data: { arg: string; node: { position?: Position } }) => Node[];
}

export interface Transform {
  name: string;
  doc: string;
  stage: 'document' | 'project';
  plugin: (options: unknown, selectors: Selectors) => (tree: Node, page: Page) => void;
}

export interface Plugin {
  name: string;
  roles?: Role[];
  directives?: Directive[];
  transforms: Transform[];
}

/** A line of how something was made: what it says, and that. */
export type Row = [term: string, description: Node[]];

/** A number that a notebook computed and named. */
export interface ComputedValue {
  title: string;
  value: number | null;
  shown: string;
  source: string;
  inputs: string[];
  notebook: string;
}

/** A layer of the book: what was published, or the edition itself; and which data it has. */
export interface Layer { name: string; label: string | null; folder: string; has: string[] }

export interface Source { authors: string; title: string; kind: string; address: string }

/** A value that published work states. */
export interface PublishedValue { title: string; shown: string; source: Source }

export interface InputFile { path: string; sha256: string }

/** How a notebook was executed. */
export interface NotebookRecord {
  notebook: string;
  title: string;
  figures: string[];
  inputs: InputFile[];
  /** The hash of each function and constant that the notebook depends on, by name. */
  code: Record<string, string>;
  /** The files of the edition that it drew. */
  drawn: string[];
  version: string;
  commit: string | null;
  parameters: Record<string, unknown>;
  seed: number | null;
  environment: string;
  machine: { processor: string; system: string; python: string };
  made: string;
  seconds: number;
  command: string;
}

/** How a stage of the build ran. */
export interface StageRecord { stage: string; code?: Record<string, string> }

/** The files of an edition, by name. */
export interface EditionFiles {
  'edition.json': { name: string; simulated: boolean };
  'layers.json': { layers: Layer[] };
  'steps.json': { layer: string; places: Record<string, { panorama: string; roi: number; view: number[] }> };
  'numbers.json': Record<string, ComputedValue>;
  'recorded.json': Record<string, string>;
  'published.json': Record<string, PublishedValue>;
  [notebook: `provenance/${string}`]: NotebookRecord;
  [stage: `records/${string}`]: StageRecord;
  'cells/record.json': StageRecord;
}
