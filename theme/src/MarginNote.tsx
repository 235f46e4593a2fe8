import { Children } from './Children.js';
import type { Node } from './node.js';

/** Stands in the margin beside the text where there is room, and between its paragraphs where there is none. */
export function MarginNote({ node }: { node: Node }) {
  const children = node.children ?? [];
  const title = children[0]?.type === 'admonitionTitle' ? children[0] : undefined;
  return (
    <aside role="note" id={node.html_id} className={`margin-note ${node.class ?? ''}`}>
      {title !== undefined && <p className="margin-title"><Children of={title.children} /></p>}
      <Children of={title === undefined ? children : children.slice(1)} />
    </aside>
  );
}
