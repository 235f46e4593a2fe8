import { Children } from './Children.js';
import type { Node } from './node.js';

/** MyST has typeset the formula with KaTeX already; it is here as HTML and MathML. */
export function Math({ node }: { node: Node }) {
  const html = node.html;
  if (node.type === 'inlineMath') {
    return html === undefined ? <code>{node.value}</code> : <span className="math-inline" dangerouslySetInnerHTML={{ __html: html }} />;
  }
  const id = node.html_id ?? node.identifier;
  return (
    <div id={id} className="math">
      {html === undefined ? <pre>{node.value}</pre> : <div className="math-scroll" tabIndex={0} role="group" aria-label="Equation" dangerouslySetInnerHTML={{ __html: html }} />}
      {node.enumerator !== undefined && <a className="math-number" href={`#${id ?? ''}`}>({node.enumerator})</a>}
    </div>
  );
}

/** A value that the notebook computed in the middle of a sentence. */
export function Expression({ node }: { node: Node }) {
  if (node.children !== undefined && node.children.length > 0) return <Children of={node.children} />;
  const plain = node.result?.data?.['text/plain'];
  return typeof plain === 'string' ? <>{plain.replace(/^'(.*)'$/s, '$1')}</> : <code>{node.value}</code>;
}
