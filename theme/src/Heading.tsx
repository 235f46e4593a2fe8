import { Children } from './Children.js';
import type { Node } from './node.js';

export function Heading({ node }: { node: Node }) {
  const Level = `h${Math.min(Math.max(node.depth ?? 2, 2), 6)}` as 'h2';
  const id = node.html_id ?? node.identifier;
  return (
    <Level id={id} className={node.class}>
      {node.enumerator !== undefined && <span className="heading-number">{node.enumerator}</span>}
      <Children of={node.children} />
      {id !== undefined && <a className="anchor" href={`#${id}`} aria-label="Link to this section">#</a>}
    </Level>
  );
}
