import type { CSSProperties } from 'react';
import { relOf } from './address.js';
import { Children } from './Children.js';
import { usePage } from './context.js';
import { hrefOf } from './Link.js';
import type { Node } from './node.js';

/** A grid gives its number of columns for four widths of screen. */
export function Grid({ node }: { node: Node }) {
  const [small, medium, large, huge] = node.columns ?? [1, 1, 2, 2];
  const style = { '--small': small, '--medium': medium ?? small, '--large': large ?? small, '--huge': huge ?? small };
  return <div className={`grid ${node.class ?? ''}`} style={style as CSSProperties}><Children of={node.children} /></div>;
}

export function Card({ node }: { node: Node }) {
  const { base } = usePage();
  const children = node.children ?? [];
  const part = (type: string) => children.find((child) => child.type === type)?.children;
  const [header, title, footer] = [part('header'), part('cardTitle'), part('footer')];
  const body = children.filter(({ type }) => !['header', 'cardTitle', 'footer'].includes(type));
  // The title is the link and its area covers the card: links inside the card stay links of their own.
  const link = node.url === undefined ? undefined : hrefOf(node, base);
  const linked = (text: Node[] | undefined) => (link === undefined ? <Children of={text} /> : <a href={link} rel={relOf(link)}><Children of={text} /></a>);
  return (
    <section className={`card ${node.class ?? ''}`}>
      {header !== undefined && <div className="card-header"><Children of={header} /></div>}
      {title !== undefined && <p className="card-title">{linked(title)}</p>}
      <div className="card-body"><Children of={body} /></div>
      {footer !== undefined && <div className="card-footer"><Children of={footer} /></div>}
      {title === undefined && link !== undefined && <a className="card-link" href={link} rel={relOf(link)}>Open</a>}
    </section>
  );
}
