import type { MimeContent, Node } from './node.js';
import type { Page } from './site.js';
import { Widget } from './Widget.js';

export const STATE = 'application/vnd.jupyter.widget-state+json';
export const VIEW = 'application/vnd.jupyter.widget-view+json';

/** What a notebook keeps of one widget; binary parts stand apart, in base 64. */
export interface SavedState {
  state: Record<string, unknown>;
  buffers?: { data: string; path: (string | number)[] }[];
}

/** The saved state of the anywidget that an output shows; other widgets need the library that drew them. */
export function savedState(page: Page, view: MimeContent | undefined): SavedState | undefined {
  if (view === undefined) return undefined;
  const { model_id: id } = (typeof view.content === 'string' ? JSON.parse(view.content) : view.content ?? {}) as { model_id?: string };
  const saved = page.widgets?.[STATE]?.state?.[id ?? ''];
  return typeof saved?.state._esm === 'string' ? saved : undefined;
}

/** Whether a page carries the code of a widget in itself, so that its policy has to let that code run. */
export function bringsCode(page: Page): boolean {
  return Object.values(page.widgets?.[STATE]?.state ?? {}).some(({ state }) => typeof state._esm === 'string');
}

/** A widget as a notebook saved it, brought to life without a kernel: its code comes with the notebook. */
export function SavedWidget({ saved: { state, buffers = [] }, node }: { saved: SavedState; node: Node }) {
  const { _esm, _css, ...model } = state;
  const widget: Node = { type: 'anywidget', html_id: node.html_id, class: 'saved', model };
  return <Widget node={widget} code={String(_esm)} style={typeof _css === 'string' ? _css : undefined} buffers={buffers} />;
}
