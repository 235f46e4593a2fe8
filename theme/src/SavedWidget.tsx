import type { Node } from './node.js';
import type { SavedState } from './saved-state.js';
import { Widget } from './Widget.js';

/** A widget as a notebook saved it, which works without a kernel: its code comes with the notebook. */
export function SavedWidget({ saved: { state, buffers = [] }, node }: { saved: SavedState; node: Node }) {
  const { _esm, _css, ...model } = state;
  const widget: Node = { type: 'anywidget', html_id: node.html_id, class: 'saved', model };
  return <Widget node={widget} code={String(_esm)} style={typeof _css === 'string' ? _css : undefined} buffers={buffers} />;
}
