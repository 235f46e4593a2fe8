import { ThemeProvider } from '@myst-theme/providers';
import { MyST } from 'myst-to-react';
import type { Work } from './cite.js';
import { Colophon } from './Colophon.js';
import { PageProvider } from './context.js';
import { Masthead } from './Masthead.js';
import type { Node } from './node.js';
import { PartsAfter, textBlocks } from './Parts.js';
import { Footnotes, References } from './References.js';
import { PageTurn } from './PageTurn.js';
import { RENDERERS } from './renderers.js';
import { directionOf, neighbours, type Entry, type Page, type Project, type Site } from './site.js';

interface Props { site: Site; page: Page; project: Project; work: Work; entries: Entry[]; base: string; bookTitle: string; isFirst: boolean }

export function PageView({ site, page, project, work, entries, base, bookTitle, isFirst }: Props) {
  const { previous, next, group } = neighbours(entries);
  const [opening, text] = withoutOpening(textBlocks(page), isFirst);
  return (
    <ThemeProvider theme={null} setTheme={() => undefined} renderers={RENDERERS}>
      <PageProvider value={{ base, page }}>
        <article dir={directionOf(page)} className={`page page-${page.kind.toLowerCase()}${isFirst ? ' page-first' : ''}`}>
          {opening !== undefined && <MyST ast={opening as never} />}
          <Masthead page={page} home={`${base}/`} bookTitle={bookTitle} group={group} isFirst={isFirst} />
          <MyST ast={text as never} />
          <PartsAfter page={page} />
          <Footnotes />
          <References />
        </article>
        <PageTurn previous={previous} next={next} />
        <Colophon site={site} page={page} project={project} work={work} />
      </PageProvider>
    </ThemeProvider>
  );
}

/** A figure of the class `opening` that begins the first page comes before its title: it, and the blocks without it. */
function withoutOpening(blocks: Node[], isFirst: boolean): [Node | undefined, Node[]] {
  const [first, ...rest] = blocks;
  const [figure, ...others] = first?.children ?? [];
  if (!isFirst || figure?.class?.split(' ').includes('opening') !== true) return [undefined, blocks];
  return [figure, [{ ...first, type: first?.type ?? 'block', children: others }, ...rest]];
}

export function NotFound({ home }: { home: string }) {
  return (
    <article className="page">
      <header className="masthead">
        <h1>Page not found</h1>
        <p className="masthead-subtitle">There is no page at this address. <a href={home}>Go to the start of the book.</a></p>
      </header>
    </article>
  );
}
