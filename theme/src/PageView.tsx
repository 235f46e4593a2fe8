import { ThemeProvider } from '@myst-theme/providers';
import { MyST } from 'myst-to-react';
import type { Work } from './cite.js';
import { Colophon } from './Colophon.js';
import { PageProvider } from './context.js';
import { Masthead } from './Masthead.js';
import { PartsAfter, textBlocks } from './Parts.js';
import { Footnotes, References } from './References.js';
import { PageTurn } from './PageTurn.js';
import { RENDERERS } from './renderers.js';
import { directionOf, neighbours, type Entry, type Page, type Project } from './site.js';

interface Props { page: Page; project: Project; work: Work; entries: Entry[]; base: string; bookTitle: string; isFirst: boolean }

export function PageView({ page, project, work, entries, base, bookTitle, isFirst }: Props) {
  const { previous, next, group } = neighbours(entries);
  return (
    <ThemeProvider theme={null} setTheme={() => undefined} renderers={RENDERERS}>
      <PageProvider value={{ base, page }}>
        <article dir={directionOf(page)} className={`page page-${page.kind.toLowerCase()}${isFirst ? ' page-first' : ''}`}>
          <Masthead page={page} home={`${base}/`} bookTitle={bookTitle} group={group} isFirst={isFirst} />
          <MyST ast={textBlocks(page) as never} />
          <PartsAfter page={page} />
          <Footnotes />
          <References />
        </article>
        <PageTurn previous={previous} next={next} />
        <Colophon page={page} project={project} work={work} />
      </PageProvider>
    </ThemeProvider>
  );
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
