import { textOf, type Node } from './node.js';
import { pageAddress } from './address.js';
import type { SavedWidgets } from './saved-state.js';

export interface Author {
  name: string;
  orcid?: string;
  email?: string;
  corresponding?: boolean;
  affiliations?: string[];
  nameParsed?: { literal?: string; given?: string; family?: string };
}

export interface Licence { id?: string; name?: string; url?: string }

export interface Download { title?: string; url: string; filename?: string; format?: string }

export interface Frontmatter {
  title?: string;
  short_title?: string;
  subtitle?: string;
  description?: string;
  date?: string;
  doi?: string;
  github?: string;
  edit_url?: string | null;
  source_url?: string | null;
  keywords?: string[];
  thumbnail?: string;
  authors?: Author[];
  affiliations?: { id?: string; name?: string; city?: string; country?: string }[];
  license?: { content?: Licence; code?: Licence };
  exports?: Download[];
  downloads?: Download[];
  parts?: Record<string, { mdast: Node }>;
}

export interface TocEntry { slug?: string; title: string; short_title?: string; level: number; enumerator?: string }

export interface Project extends Frontmatter { index: string; pages: TocEntry[]; slug?: string }

/** A form that the whole book is printed in. */
export type PrintForm = 'pdf' | 'docx' | 'jats' | 'meca';

/** What the content server says about the whole site. */
export interface Site {
  title?: string;
  description?: string;
  options?: {
    notice?: string;
    data_host?: string;
    favicon?: string;
    address?: string;
    archive_of?: string;
    version?: string;
    on_binder?: boolean;
    dataset?: string;
  } & Partial<Record<PrintForm, string>>;
  projects?: Project[];
}

/** What the content server says about one page. */
export interface Page extends SavedWidgets {
  kind: 'Article' | 'Notebook';
  slug: string;
  location: string;
  frontmatter: Frontmatter;
  mdast: Node;
  references: { cite?: { order: string[]; data: Record<string, { html?: string; doi?: string; url?: string }> } };
}

/**
 * The address that the site will have for its readers, where the site's options or the host that builds it give one. An
 * archived version is elsewhere: the address in its options is that of the current one.
 */
export function siteAddress(site: Site): string | undefined {
  if (site.options?.archive_of !== undefined) return undefined;
  return (site.options?.address ?? process.env.READTHEDOCS_CANONICAL_URL)?.replace(/\/+$/, '');
}

export function publicAddress(site: Site, page: { slug: string }, isFirst: boolean): string | undefined {
  const address = siteAddress(site);
  return address === undefined ? undefined : `${address}${isFirst ? '/' : pageAddress('', `/${page.slug.replaceAll('.', '/')}`)}`;
}

/**
 * The whole address of a file that MyST has copied, such as a picture for link previews. The export renames the folder and
 * puts the base before it, where there is one; else the path of the site's address is missing.
 */
export function publicFile(site: Site, file: string | undefined, base: string): string | undefined {
  const address = siteAddress(site);
  if (address === undefined || file === undefined) return undefined;
  return `${base === '' ? address : new URL(address).origin}${file}`;
}

/**
 * Where a page is edited, unless it is archived: its sources went on. A notebook is edited as the text that it was executed
 * from, while MyST only knows the executed one.
 */
export function editAddress(site: Site, { frontmatter: { edit_url: edit } }: Page): string | undefined {
  if (site.options?.archive_of !== undefined) return undefined;
  const source = edit?.replace(/\/build\/[^/]+\/notebooks\/([^/]+)\.ipynb$/, '/notebooks/$1.md');
  // Nothing else in build/ is written by hand, or in the repository.
  return /\/edit\/(?:.+\/)?build\//.test(source ?? '') ? undefined : source;
}

/** Where Binder runs the repository as it is now, with the page's notebook open if it is one; undefined where it does not. */
export function launchAddress(site: Site, page: Page): string | undefined {
  const [, repository] = /^https:\/\/github\.com\/([^/]+\/[^/]+)$/.exec(page.frontmatter.github ?? '') ?? [];
  if (repository === undefined || site.options?.on_binder !== true || site.options.archive_of !== undefined) return undefined;
  const [, notebook] = /(\/notebooks\/[^/]+\.md)$/.exec(editAddress(site, page) ?? '') ?? [];
  const opened = notebook === undefined || page.kind !== 'Notebook' ? 'lab' : `lab/tree${notebook}`;
  return `https://mybinder.org/v2/gh/${repository}/HEAD?urlpath=${encodeURIComponent(opened)}`;
}

/** Whether a page shows the single cells of the site. */
export function showsCells(node: Node): boolean {
  return (node.type === 'anywidget' && typeof node.model?.cells === 'string') || (node.children ?? []).some(showsCells);
}

/** Which way a page runs, as the first letter of its title does; undefined where that is the usual one. */
export function directionOf({ frontmatter: { title = '' } }: Page): 'rtl' | undefined {
  const [letter] = /\p{L}/u.exec(title) ?? [''];
  return /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter) ? 'rtl' : undefined;
}

/** A line of the table of contents: a page, or the name of a group of pages. */
export interface Entry { title: string; level: number; slug?: string; href?: string; current: boolean; number?: string }

export function tableOfContents(project: Project, base: string, current: string): Entry[] {
  const index: Entry = { title: project.title ?? 'Start', level: 1, slug: project.index, href: `${base}/`, current: current === project.index };
  const rest = project.pages.map((page): Entry => ({
    title: page.short_title ?? page.title,
    level: page.level,
    slug: page.slug,
    // A slug keeps its folders apart by dots, an address by slashes.
    href: page.slug === undefined ? undefined : pageAddress(base, `/${page.slug.replaceAll('.', '/')}`),
    current: page.slug === current,
    number: page.enumerator,
  }));
  return [index, ...rest];
}

/** The pages before and after this one, and the name of the group that it is in. */
export function neighbours(entries: Entry[]): { previous?: Entry; next?: Entry; group?: string } {
  const at = entries.findIndex((entry) => entry.current);
  if (at < 0) return {};
  const isPage = (entry: Entry) => entry.href !== undefined;
  const level = entries[at]?.level ?? 1;
  return {
    previous: entries.slice(0, at).findLast(isPage),
    next: entries.slice(at + 1).find(isPage),
    group: entries.slice(0, at).findLast((entry) => !isPage(entry) && entry.level < level)?.title,
  };
}

export interface Section { id: string; title: string; children: Section[] }

/** The sections of a page, two levels deep; headings inside of cards, tabs and the like are not sections. */
export function outline(page: Node): Section[] {
  const sections: Section[] = [];
  const visit = (node: Node) => {
    if (node.type === 'root' || node.type === 'block' || node.type === 'div') {
      node.children?.forEach(visit);
    } else if (node.type === 'heading' && node.html_id !== undefined) {
      const section = { id: node.html_id, title: textOf(node), children: [] };
      if (node.depth === 2) sections.push(section);
      else if (node.depth === 3) sections.at(-1)?.children.push(section);
    }
  };
  visit(page);
  return sections;
}
