import type { MimeContent } from './node.js';

export const STATE = 'application/vnd.jupyter.widget-state+json';
export const VIEW = 'application/vnd.jupyter.widget-view+json';

/** What a notebook keeps of one widget; binary parts are separate, in base 64. */
export interface SavedState {
  state: Record<string, unknown>;
  buffers?: { data: string; path: (string | number)[] }[];
}

/** What a page has of its notebook's widgets, by kind of content. */
export interface SavedWidgets { widgets?: Record<string, { state?: Record<string, SavedState> }> }

/** The saved state of the anywidget that an output shows; other widgets need the library that drew them. */
export function savedState(page: SavedWidgets, view: MimeContent | undefined): SavedState | undefined {
  if (view === undefined) return undefined;
  const { model_id: id } = (typeof view.content === 'string' ? JSON.parse(view.content) : view.content ?? {}) as { model_id?: string };
  const saved = page.widgets?.[STATE]?.state?.[id ?? ''];
  return typeof saved?.state._esm === 'string' ? saved : undefined;
}

/** Whether a page carries the code of a widget in itself, so that its policy has to let that code run. */
export function bringsCode(page: SavedWidgets): boolean {
  return Object.values(page.widgets?.[STATE]?.state ?? {}).some(({ state }) => typeof state._esm === 'string');
}
