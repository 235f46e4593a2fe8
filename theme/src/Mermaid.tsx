import type { Node } from './node.js';

/** A diagram in Mermaid's language; the client draws it when it comes near, and its text stays for who reads that. */
export function Mermaid({ node }: { node: Node }) {
  return (
    <div id={node.html_id} className="mermaid" data-mermaid="">
      <pre tabIndex={0} aria-label="Text of the diagram"><code>{node.value}</code></pre>
    </div>
  );
}
