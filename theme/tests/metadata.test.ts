import { expect, test } from 'vitest';
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { bibtex, cff, workOf } from '../src/cite.js';
import { figuresOf } from '../src/figures.js';
import { Notice } from '../src/Notice.js';
import { directionOf, editAddress, launchAddress, publicAddress, publicFile, showsCells, type Page, type Project, type Site } from '../src/site.js';
import { robots, sitemap } from '../src/sitemap.js';

const author = { name: 'Ada Example', nameParsed: { literal: 'Ada Example', given: 'Ada', family: 'Example' }, orcid: '0000-0002-1825-0097' };
const project: Project = { title: 'Book & more', index: 'index', pages: [{ title: 'One', slug: 'notebooks.one', level: 1 }], authors: [author], date: '2026-02-03' };
const site: Site = { title: 'Book', options: { address: 'https://example.org/book/' }, projects: [project] };
const page: Page = { kind: 'Article', slug: 'notebooks.one', location: '/one.md', mdast: { type: 'root' }, references: {}, frontmatter: { title: 'One', thumbnail: '/myst_assets_folder/a.png' } };

test('a page is cited as a part of its book, with what the project says of both', () => {
  const work = workOf(site, project, page, publicAddress(site, page, false));
  expect(bibtex(work)).toBe(
    '@incollection{notebooks-one,\n  author = {Example, Ada},\n  title = {{One}},\n  booktitle = {Book \\& more},\n  year = {2026},\n  url = {https://example.org/book/notebooks/one/}\n}\n',
  );
  expect(cff(work)).toContain('  - given-names: "Ada"\n    family-names: "Example"\n    orcid: "https://orcid.org/0000-0002-1825-0097"\n');
});

test('a group of authors is not taken apart', () => {
  const work = workOf(site, project, { ...page, slug: 'index', frontmatter: { authors: [{ name: 'nnbook contributors', nameParsed: { literal: 'nnbook contributors', given: 'nnbook', family: 'contributors' } }] } }, undefined);
  expect(bibtex(work)).toContain('@book{book,\n  author = {{nnbook contributors}},\n  title = {{Book & more}}'.replace('&', '\\&'));
  expect(cff(work)).toContain('authors:\n  - name: "nnbook contributors"\n');
  expect(cff(work)).not.toContain('url:');
});

test('addresses are whole where the site knows its own, and left out where not', () => {
  expect(sitemap(site)).toContain('<loc>https://example.org/book/</loc></url>\n  <url><loc>https://example.org/book/notebooks/one/</loc>');
  expect(robots(site)).toContain('Sitemap: https://example.org/book/sitemap.xml');
  expect(publicFile(site, page.frontmatter.thumbnail, '/book')).toBe('https://example.org/myst_assets_folder/a.png');
  const unknown: Site = { ...site, options: {} };
  expect(sitemap(unknown)).not.toContain('<url>');
  expect(robots(unknown)).toBe('User-agent: *\nAllow: /\n');
  expect(publicFile(unknown, page.frontmatter.thumbnail, '')).toBeUndefined();
});

test('the index of figures has the numbered ones, by the bold words or the first sentence of their captions', () => {
  const container = (id: string, kind: string, ...content: object[]) => ({ type: 'container', kind, html_id: id, children: content });
  const caption = (...content: object[]) => ({ type: 'caption', children: [{ type: 'paragraph', children: [{ type: 'captionNumber', children: [{ type: 'text', value: 'Figure 1:' }] }, ...content] }] });
  const text = (value: string) => ({ type: 'text', value });
  const mdast = {
    type: 'root',
    children: [
      container('a', 'figure', { type: 'image', url: '/build/a.png' }, caption({ type: 'strong', children: [text('Nuclei.')] }, text(' More.'))),
      container('b', 'table', caption(text('Counts of 1.5 um. The rest.'))),
      container('c', 'figure', { type: 'image', url: '/build/c.mp4' }, { type: 'caption', children: [] }),
    ],
  } as Page['mdast'];
  expect(figuresOf({ ...page, mdast }, '/base', false)).toEqual([
    { kind: 'figure', number: 'Figure 1', title: 'Nuclei', href: '/base/notebooks/one/#a', image: '/myst_assets_folder/build/a.png', page: 'One' },
    { kind: 'table', number: 'Figure 1', title: 'Counts of 1.5 um', href: '/base/notebooks/one/#b', image: undefined, page: 'One' },
  ]);
});

test('a page runs as its title does', () => {
  const titled = (title: string) => directionOf({ ...page, frontmatter: { title } });
  expect(titled('1. النواة')).toBe('rtl');
  expect(titled('Nuclei (نواة)')).toBeUndefined();
});

test('a picture has the path of the address, once', () => {
  expect(publicFile(site, '/myst_assets_folder/a.png', '')).toBe('https://example.org/book/myst_assets_folder/a.png');
  // The export turns the folder into `/book/build`.
  expect(publicFile(site, '/myst_assets_folder/a.png', '/book')).toBe('https://example.org/myst_assets_folder/a.png');
});

test('an archived version claims no address, for the one that is known is that of the current version', () => {
  const archived: Site = { ...site, options: { ...site.options, archive_of: 'https://example.org/book/', version: '1.2' } };
  expect(publicAddress(archived, page, false)).toBeUndefined();
  expect(sitemap(archived)).not.toContain('<url>');
  expect(robots(archived)).not.toContain('Sitemap');
});

test('a notebook is edited as the text that it is executed from, and opens on Binder where the repository does', () => {
  const repository = 'https://github.com/lab/book';
  const notebook: Page = { ...page, kind: 'Notebook', frontmatter: { github: repository, edit_url: `${repository}/edit/main/build/book/notebooks/area.ipynb` } };
  expect(editAddress(site, notebook)).toBe(`${repository}/edit/main/notebooks/area.md`);
  expect(editAddress(site, { ...page, frontmatter: { edit_url: `${repository}/edit/main/chapters/one.md` } })).toBe(`${repository}/edit/main/chapters/one.md`);
  expect(editAddress(site, { ...page, frontmatter: { edit_url: null } })).toBeUndefined();
  expect(editAddress(site, { ...page, frontmatter: { edit_url: `${repository}/edit/main/build/book/api.md` } })).toBeUndefined();
  const onBinder: Site = { ...site, options: { on_binder: true } };
  expect(launchAddress(onBinder, notebook)).toBe('https://mybinder.org/v2/gh/lab/book/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2Farea.md');
  expect(launchAddress(onBinder, { ...page, frontmatter: { github: repository } })).toBe('https://mybinder.org/v2/gh/lab/book/HEAD?urlpath=lab');
  expect(launchAddress(site, notebook)).toBeUndefined();
  const archived: Site = { ...site, options: { on_binder: true, archive_of: 'https://example.org/book/' } };
  expect([editAddress(archived, notebook), launchAddress(archived, notebook)]).toEqual([undefined, undefined]);
  expect(launchAddress(onBinder, { ...page, frontmatter: { github: 'https://gitlab.com/lab/book' } })).toBeUndefined();
});

test('pages that show cells are those with a view of them', () => {
  const view = (model: Record<string, unknown>) => ({ type: 'root', children: [{ type: 'container', children: [{ type: 'anywidget', model }] }] });
  expect(showsCells(view({ cells: 'cells/cells.json' }))).toBe(true);
  expect(showsCells(view({ index: 'pyramids/index.json' }))).toBe(false);
});

test('the notice of an archived version leads to the current one', () => {
  const notice = (props: Parameters<typeof Notice>[0]) => renderToStaticMarkup(createElement(Notice, props));
  expect(notice({ archiveOf: 'https://example.org/book/', version: '1.2', text: 'Out of date.' })).toContain(
    '<span>This is the archived version 1.2; the current one is at <a href="https://example.org/book/" rel="external noopener">example.org/book</a>.</span><span>Out of date.</span>',
  );
  expect(notice({ text: 'Out of date.' })).toContain('<p><span>Out of date.</span></p>');
  expect(notice({ text: ' ' })).toBe('');
});
