import { Children } from './Children.js';
import { textOf, type Node } from './node.js';

/** Splits a title node off the content below it. */
function titled(node: Node, type: string): [Node | undefined, Node[]] {
  const children = node.children ?? [];
  return children[0]?.type === type ? [children[0], children.slice(1)] : [undefined, children];
}

export function Admonition({ node }: { node: Node }) {
  const [title, content] = titled(node, 'admonitionTitle');
  const kind = node.kind ?? 'note';
  const classes = node.class?.split(' ') ?? [];
  const name = title === undefined ? kind : <Children of={title.children} />;
  const className = ['admonition', `admonition-${kind}`, ...classes].join(' ');
  if (classes.includes('dropdown')) {
    return (
      <details id={node.html_id} className={className} open={node.open}>
        <summary className="admonition-title">{name}</summary>
        <Children of={content} />
      </details>
    );
  }
  return (
    <div role="note" id={node.html_id} className={className} aria-label={kind}>
      {!classes.includes('simple') || title !== undefined ? <p className="admonition-title">{name}</p> : null}
      <Children of={content} />
    </div>
  );
}

export function Dropdown({ node }: { node: Node }) {
  const [title, content] = titled(node, 'summary');
  return (
    <details id={node.html_id} className={['disclosure', node.class].filter(Boolean).join(' ')} open={node.open}>
      <summary>{title === undefined ? 'Details' : <Children of={title.children} />}</summary>
      <Children of={content} />
    </details>
  );
}

/** A theorem, definition, proof and the like. */
export function Statement({ node }: { node: Node }) {
  const [title, content] = titled(node, 'admonitionTitle');
  return <Numbered node={node} name={node.kind ?? 'proof'} title={title} content={content} />;
}

/** An exercise, or a solution, which may be folded so that it isn't read too early. */
export function Exercise({ node }: { node: Node }) {
  const [title, content] = titled(node, 'admonitionTitle');
  if (node.class?.split(' ').includes('dropdown') === true) {
    return (
      <details id={node.html_id ?? node.identifier} className={`disclosure statement-${node.type}`} open={node.open}>
        {/* A link in a summary could not be distinguished from the switch. */}
        <summary>{title === undefined ? nameOf(node, node.type) : textOf(title)}</summary>
        <Children of={content} />
      </details>
    );
  }
  return <Numbered node={node} name={node.type} title={title} content={content} />;
}

function nameOf(node: Node, name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}${node.enumerator === undefined ? '' : ` ${node.enumerator}`}`;
}

function Numbered({ node, name, title, content }: { node: Node; name: string; title?: Node; content: Node[] }) {
  return (
    <section id={node.html_id ?? node.identifier} className={`statement statement-${name}`}>
      <p className="statement-title">
        <b>{nameOf(node, name)}</b>
        {title !== undefined && <span> <Children of={title.children} /></span>}
      </p>
      <Children of={content} />
    </section>
  );
}
