import { Children } from './Children.js';
import type { Node } from './node.js';

/** A part of a page; in notebooks, a cell. */
export function Block({ node }: { node: Node }) {
  if (node.visibility === 'remove') return null;
  // An embedded figure carries the same name as the cell that it comes from: one of them may have it.
  const inner = node.children?.some((child) => child.html_id === node.html_id) === true;
  const classes = ['block', node.kind, node.class ?? (node.data?.class as string | undefined)].filter(Boolean).join(' ');
  const content = <Children of={node.children} />;
  return (
    <div id={inner ? undefined : node.html_id} className={classes}>
      {node.visibility === 'hide' ? <details className="fold"><summary>Cell</summary>{content}</details> : content}
    </div>
  );
}
