import type { Author, Page, Project, Site } from './site.js';

/** What a reader cites: a page of the book, or, on its first page, the book. */
export interface Work {
  title: string;
  book?: string;
  authors: Author[];
  date?: string;
  doi?: string;
  address?: string;
  licence?: string;
  key: string;
}

export function workOf(site: Site, project: Project, page: Page, address: string | undefined): Work {
  const { title, authors = [], date, doi, license } = page.frontmatter;
  const isBook = page.slug === project.index;
  const book = project.title ?? site.title;
  return {
    title: isBook ? (book ?? title ?? '') : (title ?? book ?? ''),
    book: isBook ? undefined : book,
    authors: authors.length > 0 ? authors : (project.authors ?? []),
    date: date ?? project.date,
    doi: doi ?? project.doi,
    address,
    licence: license?.content?.id,
    key: (isBook ? (site.title ?? project.short_title ?? 'book') : page.slug).toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, ''),
  };
}

/** A work as an entry of BibTeX: a book, or a part of one. */
export function bibtex(work: Work): string {
  const fields: [string, string | undefined][] = [
    ['author', work.authors.map(bibtexName).join(' and ') || undefined],
    ['title', `{${escaped(work.title)}}`],
    ['booktitle', work.book === undefined ? undefined : escaped(work.book)],
    ['year', work.date?.slice(0, 4)],
    ['doi', work.doi],
    ['url', work.address],
  ];
  const lines = fields.filter(([, value]) => value !== undefined).map(([name, value]) => `  ${name} = {${value ?? ''}}`);
  return `@${work.book === undefined ? 'book' : 'incollection'}{${work.key},\n${lines.join(',\n')}\n}\n`;
}

/** A work as a Citation File Format document, version 1.2.0. */
export function cff(work: Work): string {
  const lines = ['cff-version: 1.2.0', 'message: If you use this work, please cite it as below.', 'type: dataset'];
  if (work.book !== undefined) lines.pop();
  lines.push(`title: ${quoted(work.title)}`, 'authors:');
  for (const author of work.authors) {
    const { given, family } = author.nameParsed ?? {};
    if (author.nameParsed?.literal === undefined || given === undefined || family === undefined || isGroup(author)) lines.push(`  - name: ${quoted(author.name)}`);
    else lines.push(`  - given-names: ${quoted(given)}`, `    family-names: ${quoted(family)}`);
    if (author.orcid !== undefined) lines.push(`    orcid: ${quoted(`https://orcid.org/${author.orcid}`)}`);
  }
  if (work.date !== undefined) lines.push(`date-released: ${quoted(work.date.slice(0, 10))}`);
  if (work.doi !== undefined) lines.push(`doi: ${quoted(work.doi)}`);
  if (work.address !== undefined) lines.push(`url: ${quoted(work.address)}`);
  if (work.licence !== undefined) lines.push(`license: ${work.licence}`);
  if (work.book !== undefined) {
    lines.push('preferred-citation:', '  type: book', `  title: ${quoted(work.book)}`, '  authors:', ...work.authors.map(({ name }) => `    - name: ${quoted(name)}`));
  }
  return `${lines.join('\n')}\n`;
}

/** A name that a family or given name can't be distinguished in, such as that of a project: it stays as it is. */
export function isGroup({ name }: Author): boolean {
  return /\b(contributors|consortium|team|project|group|collaboration|authors)\b/i.test(name);
}

function bibtexName(author: Author): string {
  const { given, family } = author.nameParsed ?? {};
  return isGroup(author) || given === undefined || family === undefined ? `{${escaped(author.name)}}` : `${escaped(family)}, ${escaped(given)}`;
}

function escaped(text: string): string {
  return text.replace(/[\\{}]/g, '').replace(/[&%$#_]/g, (character) => `\\${character}`);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
