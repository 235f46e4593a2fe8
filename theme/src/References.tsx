import { MyST } from 'myst-to-react';
import { usePage } from './context.js';
import { walk, type Node } from './node.js';
import { sanitised } from './sanitised.js';

export function References() {
  const { order = [], data = {} } = usePage().page.references.cite ?? {};
  if (order.length === 0) return null;
  return (
    <section className="references" aria-labelledby="references">
      <h2 id="references">References</h2>
      <ol>
        {order.map((key) => (
          <li key={key} id={`cite-${key}`} dangerouslySetInnerHTML={{ __html: sanitised(data[key]?.html ?? key) }} />
        ))}
      </ol>
    </section>
  );
}

export function Footnotes() {
  const notes: Node[] = [];
  walk(usePage().page.mdast, (node) => { if (node.type === 'footnoteDefinition') notes.push(node); });
  if (notes.length === 0) return null;
  notes.sort((a, b) => Number(a.enumerator) - Number(b.enumerator));
  return (
    <section className="footnotes" aria-labelledby="notes">
      <h2 id="notes">Notes</h2>
      <ol>
        {notes.map((note) => (
          <li key={note.identifier} id={`fn-${note.identifier ?? ''}`} value={Number(note.enumerator)}>
            <MyST ast={note.children as never} />
            <a className="footnote-back" href={`#fnref-${note.identifier ?? ''}`} aria-label={`Back to note ${note.enumerator ?? ''} in the text`}>↩</a>
          </li>
        ))}
      </ol>
    </section>
  );
}
