/** A node of a page's syntax tree, with the fields that this theme reads. */
export interface Node {
  type: string;
  key?: string;
  children?: Node[];
  value?: string;
  kind?: string;
  class?: string;
  html_id?: string;
  identifier?: string;
  label?: string;
  enumerator?: string;
  visibility?: 'show' | 'hide' | 'remove';
  html?: string;
  title?: string;
  data?: Record<string, unknown>;
  // headings
  depth?: number;
  // links and references
  url?: string;
  static?: boolean;
  internal?: boolean;
  remote?: boolean;
  // images
  alt?: string;
  placeholder?: boolean;
  width?: string;
  height?: string;
  align?: string;
  // containers
  subcontainer?: boolean;
  source?: { url?: string; slug?: string; title?: string; kind?: string };
  // code
  lang?: string;
  executable?: boolean;
  showLineNumbers?: boolean;
  startingLineNumber?: number;
  emphasizeLines?: number[];
  filename?: string;
  // tables
  header?: boolean;
  colspan?: number;
  rowspan?: number;
  // grids and tabs
  columns?: number[];
  sync?: string;
  selected?: boolean;
  open?: boolean;
  // lists
  checked?: boolean;
  // outputs and widgets
  jupyter_data?: JupyterOutput;
  esm?: string;
  css?: string;
  model?: Record<string, unknown>;
  id?: string;
  src?: string;
  result?: { data?: Record<string, unknown> };
}

/** One representation of an output: in the page, or, where it is large, in a file of its own. */
export interface MimeContent {
  content?: unknown;
  content_type: string;
  path?: string;
}

export interface JupyterOutput {
  output_type: 'stream' | 'error' | 'display_data' | 'execute_result' | 'update_display_data';
  name?: string;
  text?: string;
  path?: string;
  ename?: string;
  evalue?: string;
  traceback?: string | string[];
  data?: Record<string, MimeContent>;
  metadata?: Record<string, { plot?: boolean; links?: PictureLink[] } | undefined>;
}

/** A part of a picture that leads somewhere: its box as shares of the picture's left, top, width and height. */
export interface PictureLink { box: number[]; url: string; name: string }

export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  node.children?.forEach((child) => { walk(child, visit); });
}

export function textOf(node: Node): string {
  if (node.value !== undefined && node.type !== 'inlineMath') return node.value;
  return (node.children ?? []).map(textOf).join('') || (node.value ?? '');
}

export function holds(node: Node, ...types: string[]): boolean {
  return types.includes(node.type) || (node.children ?? []).some((child) => holds(child, ...types));
}
