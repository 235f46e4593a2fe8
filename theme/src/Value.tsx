import { relOf } from './address.js';
import { Children } from './Children.js';
import type { Node } from './node.js';

/** A link that holds a number and, as an abbreviation does, what there is to say about it. */
export function isValue(node: Node): boolean {
  return node.class?.split(' ').includes('value') === true && node.children?.[0]?.type === 'abbreviation';
}

/** A number of the text that links to where it comes from. Its preview says that in lines; without scripts, its title does. */
export function Value({ node, href }: { node: Node; href: string }) {
  const abbreviation = node.children?.[0];
  return (
    <a className={node.class} href={href} title={abbreviation?.title} rel={relOf(node.url)} data-preview="" data-about="">
      <Children of={abbreviation?.children} />
    </a>
  );
}
