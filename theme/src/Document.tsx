import { workOf } from './cite.js';
import { FigureIndex } from './FigureIndex.js';
import type { Shown } from './figures.js';
import { Metadata } from './Metadata.js';
import { Navigation } from './Navigation.js';
import { holds } from './node.js';
import { Notice } from './Notice.js';
import { NotFound, PageView } from './PageView.js';
import { APPEARANCE, hostsOf, policyOf, runsWebAssembly, segments } from './policy.js';
import { bringsCode } from './saved-state.js';
import { SearchDialog } from './Search.js';
import { outline, publicAddress, publicFile, showsCells, tableOfContents, type Page, type Project, type Site } from './site.js';

export interface Assets { script: string; style: string; mathStyle: string; fonts: string[]; italics: string[]; mathFonts: string[] }

interface Props { site: Site; project: Project; page?: Page; base: string; figures: Shown[]; assets: Assets; live: boolean; dataset?: object }

export function Document({ site, project, page, base, figures, assets, live, dataset }: Props) {
  const bookTitle = site.title ?? project.title ?? 'Book';
  const isFirst = page?.slug === project.index;
  const pageTitle = page?.frontmatter.title ?? 'Page not found';
  const description = page?.frontmatter.description ?? project.description ?? site.description;
  const entries = tableOfContents(project, base, page?.slug ?? '');
  const address = page === undefined ? undefined : publicAddress(site, page, isFirst);
  const work = page === undefined ? undefined : workOf(site, project, page, address);
  const writesItalics = page !== undefined && holds(page.mdast, 'emphasis', 'cite');
  const writesMath = page !== undefined && JSON.stringify(page).includes('katex');
  // Outputs of text/markdown may hold math that is not in the tree.
  const hasMath = writesMath || (page !== undefined && holds(page.mdast, 'output'));

  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta httpEquiv="Content-Security-Policy" content={policyOf({ dataHost: page !== undefined && segments(page.mdast) ? undefined : site.options?.data_host, hosts: page === undefined ? [] : hostsOf(page.mdast), bringsCode: page !== undefined && bringsCode(page), webAssembly: page !== undefined && runsWebAssembly(page.mdast) })} />
        <title>{isFirst || pageTitle === bookTitle ? bookTitle : `${pageTitle} – ${bookTitle}`}</title>
        {description !== undefined && <meta name="description" content={description} />}
        <meta name="color-scheme" content="light dark" />
        <script dangerouslySetInnerHTML={{ __html: APPEARANCE }} />
        {/* What comes late moves the lines around it. */}
        {[...assets.fonts, ...(writesItalics ? assets.italics : []), ...(writesMath ? assets.mathFonts : [])].map((font) => (
          <link key={font} rel="preload" href={`${base}/${font}`} as="font" type="font/woff2" crossOrigin="" />
        ))}
        <link rel="stylesheet" href={`${base}/${assets.style}`} />
        {hasMath && <link rel="stylesheet" href={`${base}/${assets.mathStyle}`} />}
        <link rel="icon" href={`${base}/favicon.svg`} type="image/svg+xml" />
        <link rel="alternate icon" href={`${base}/favicon.ico`} sizes="32x32" />
        <script type="module" src={`${base}/${assets.script}`} />
        {page !== undefined && work !== undefined && (
          <Metadata
            work={work}
            kind={isFirst ? 'Book' : page.kind === 'Notebook' ? 'WebPage' : 'ScholarlyArticle'}
            title={isFirst ? bookTitle : pageTitle}
            site={bookTitle}
            description={description}
            keywords={page.frontmatter.keywords ?? []}
            image={publicFile(site, page.frontmatter.thumbnail ?? figures.find(({ image }) => image !== undefined)?.image, base)}
            pdf={isFirst ? publicFile(site, site.options?.pdf, base) : undefined}
            address={address}
            dataset={showsCells(page.mdast) ? dataset : undefined}
          />
        )}
        {live && <meta name="live-preview" content="/socket" />}
      </head>
      <body>
        <a className="skip" href="#main">Skip to the text</a>
        <Notice text={site.options?.notice} archiveOf={site.options?.archive_of} version={site.options?.version} />
        <Navigation
          title={bookTitle}
          home={`${base}/`}
          entries={entries}
          sections={page === undefined ? [] : outline(page.mdast)}
          hasFigures={figures.length > 0}
        />
        {figures.length > 0 && <FigureIndex shown={figures} />}
        <main id="main" tabIndex={-1}>
          {page === undefined || work === undefined ? (
            <NotFound home={`${base}/`} />
          ) : (
            <PageView site={site} page={page} project={project} work={work} entries={entries} base={base} bookTitle={bookTitle} isFirst={isFirst} />
          )}
        </main>
        <SearchDialog base={base} />
      </body>
    </html>
  );
}
