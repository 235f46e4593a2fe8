import { pageAddress, relOf } from './address.js';
import { Children } from './Children.js';
import { usePage } from './context.js';
import type { Node } from './node.js';
import { isValue, Value } from './Value.js';

/** Where a link leads: to another page of the book, to a file that comes with it, or elsewhere. */
export function hrefOf(node: Node, base: string): string {
  const url = node.url ?? '';
  return node.internal === true && node.static !== true ? pageAddress(base, url) : url;
}

export function Link({ node }: { node: Node }) {
  const { base } = usePage();
  if (isValue(node)) return <Value node={node} href={hrefOf(node, base)} />;
  return (
    <a
      href={hrefOf(node, base)}
      className={node.class}
      title={node.title}
      download={node.static === true ? '' : undefined}
      rel={relOf(node.url)}
      data-preview={node.internal === true && node.static !== true ? '' : undefined}
    >
      <Children of={node.children} />
    </a>
  );
}

export function CrossReference({ node }: { node: Node }) {
  const { base } = usePage();
  const id = node.html_id ?? node.identifier;
  const href = node.remote === true && node.url !== undefined ? pageAddress(base, node.url, id) : `#${id ?? ''}`;
  if (isValue(node)) return <Value node={node} href={href} />;
  return (
    <a className={`reference reference-${node.kind ?? 'page'}`} href={href} data-preview="">
      {node.children?.length ? <Children of={node.children} /> : (node.label ?? id)}
    </a>
  );
}

export function Citation({ node }: { node: Node }) {
  return (
    <a className="citation" href={`#cite-${node.label ?? node.identifier ?? ''}`} data-preview="">
      <Children of={node.children} />
    </a>
  );
}

export function CitationGroup({ node }: { node: Node }) {
  const cites = node.children ?? [];
  const narrative = node.kind === 'narrative';
  return (
    <span className="citations">
      {narrative ? '' : '('}
      {cites.map((cite, at) => (
        <span key={cite.key ?? at}>{at > 0 && '; '}<Children of={[cite]} /></span>
      ))}
      {narrative ? '' : ')'}
    </span>
  );
}

export function FootnoteMark({ node }: { node: Node }) {
  const id = node.identifier ?? '';
  return (
    <sup className="footnote-mark">
      <a id={`fnref-${id}`} href={`#fn-${id}`} data-preview="" aria-label={`Note ${node.enumerator ?? ''}`}>{node.enumerator}</a>
    </sup>
  );
}

export function Abbreviation({ node }: { node: Node }) {
  return <abbr title={node.title}><Children of={node.children} /></abbr>;
}
