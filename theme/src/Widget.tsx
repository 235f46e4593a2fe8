import type { CSSProperties } from 'react';
import { Json } from './Json.js';
import type { Node } from './node.js';
import type { SavedState } from './saved-state.js';

/** A widget's module and style have addresses, or, where a notebook saved them, are here as text. */
interface Props { node: Node; code?: string; style?: string; buffers?: SavedState['buffers'] }

/** A place for an anywidget; the client loads its module when the place comes near, and keeps its height free until then. */
export function Widget({ node, code, style: rules, buffers }: Props) {
  const { esm, css, model = {} } = node;
  const height = typeof model.height === 'number' ? `${model.height}px` : model.height;
  const style = typeof height === 'string' ? { '--height': height } : undefined;
  const label = typeof model.label === 'string' ? model.label : 'Interactive view';
  return (
    <div id={node.html_id} className={`widget ${node.class ?? 'wide'}`} data-widget="" style={style as CSSProperties | undefined}>
      <Json value={{ esm, css, model, code, rules, buffers }} />
      <div className="widget-host" role="group" aria-label={label} />
      <noscript><p>This view needs JavaScript. Its data and the code that makes them are part of the book.</p></noscript>
    </div>
  );
}
