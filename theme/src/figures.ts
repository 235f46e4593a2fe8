import { fileAddress, pageAddress } from './address.js';
import { textOf, walk, type Node } from './node.js';
import { hostsOf } from './policy.js';
import type { Page } from './site.js';

/** A figure or table of the book, as the index of figures shows it. */
export interface Shown {
  kind: 'figure' | 'table';
  number: string;
  title: string;
  href: string;
  image?: string;
  /** The host that has what a figure shows, where it has no picture on this one. */
  elsewhere?: string;
  page: string;
}

/** The numbered figures and tables of a page. Panels of a figure are not listed by themselves. */
export function figuresOf(page: Page, base: string, isFirst: boolean): Shown[] {
  const shown: Shown[] = [];
  const path = isFirst ? '/' : `/${page.slug.replaceAll('.', '/')}`;
  walk(page.mdast, (node) => {
    const id = node.html_id;
    if (node.type !== 'container' || node.subcontainer === true || id === undefined) return;
    if (node.kind !== 'figure' && node.kind !== 'table') return;
    const caption = node.children?.find(({ type }) => type === 'caption');
    const number = caption === undefined ? undefined : find(caption, ({ type }) => type === 'captionNumber');
    if (caption === undefined || number === undefined) return;
    const image = node.kind === 'figure' ? imageOf(node) : undefined;
    shown.push({
      kind: node.kind,
      number: textOf(number).replace(/:\s*$/, ''),
      title: titleOf(caption),
      href: pageAddress(base, path, id),
      image,
      elsewhere: node.kind === 'figure' && image === undefined ? hostsOf(node)[0]?.replace(/^https?:\/\//, '') : undefined,
      page: page.frontmatter.short_title ?? page.frontmatter.title ?? '',
    });
  });
  return shown;
}

/** The part of a caption in bold, else its first sentence. */
function titleOf(caption: Node): string {
  const [first] = caption.children ?? [];
  const parts = (first?.children ?? []).filter(({ type }) => type !== 'captionNumber');
  const start = parts.find((part) => textOf(part).trim() !== '');
  const text = start?.type === 'strong' ? textOf(start) : (/^.*?[.!?](?=\s|$)/s.exec(parts.map(textOf).join('').trim())?.[0] ?? parts.map(textOf).join(''));
  // The mark of a quoted value leads to its source in the text; here it leads nowhere.
  return text.replaceAll('†', '').trim().replace(/\.$/, '');
}

function imageOf(figure: Node): string | undefined {
  const image = find(figure, ({ type, url }) => type === 'image' && url !== undefined && !/\.(?:mp4|mov|avi)$/i.test(url));
  if (image?.url !== undefined) return fileAddress(image.url);
  const output = find(figure, (node) => outputImage(node) !== undefined);
  return output === undefined ? undefined : outputImage(output);
}

function outputImage(node: Node): string | undefined {
  return Object.values(node.jupyter_data?.data ?? {}).find(({ content_type, path }) => content_type.startsWith('image/') && path !== undefined)?.path;
}

function find(node: Node, wanted: (node: Node) => boolean): Node | undefined {
  if (wanted(node)) return node;
  for (const child of node.children ?? []) {
    const found = find(child, wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}
