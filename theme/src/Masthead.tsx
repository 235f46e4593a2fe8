import { Breadcrumbs } from './Breadcrumbs.js';
import { PartsBefore } from './Parts.js';
import type { Author, Page } from './site.js';
import { Words } from './Words.js';

/** The head of a page: where in the book it is, its title, who wrote it and when, and what a paper has before its text. */
interface Props { page: Page; home: string; bookTitle: string; group?: string; isFirst: boolean }

export function Masthead({ page, home, bookTitle, group, isFirst }: Props) {
  const { title, subtitle, authors = [], affiliations = [], date } = page.frontmatter;
  return (
    <header className="masthead">
      {!isFirst && <Breadcrumbs home={home} title={bookTitle} group={group ?? (page.kind === 'Notebook' ? 'Notebook' : undefined)} />}
      <h1><Words text={title ?? ''} most={14} /></h1>
      {subtitle !== undefined && <p className="masthead-subtitle">{subtitle}</p>}
      {(authors.length > 0 || date !== undefined) && (
        <div className="byline">
          {authors.length > 0 && (
            <ul className="authors" aria-label="Authors">
              {authors.map((author) => <li key={author.name}><AuthorName author={author} /></li>)}
            </ul>
          )}
          {isFirst && affiliations.length > 0 && (
            <p className="affiliations">{affiliations.map(({ name }) => name).filter(Boolean).join('; ')}</p>
          )}
          {date !== undefined && <time dateTime={date}>{inWords(date)}</time>}
        </div>
      )}
      <PartsBefore page={page} />
    </header>
  );
}

function AuthorName({ author: { name, orcid, email, corresponding } }: { author: Author }) {
  return (
    <>
      {orcid === undefined ? name : <a href={`https://orcid.org/${orcid}`} rel="external noopener" title={`ORCID ${orcid}`}>{name}</a>}
      {corresponding === true && email !== undefined && (
        <a className="author-mail" href={`mailto:${email}`} aria-label={`Write to ${name}`}>
          <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true"><path d="M1.5 3.5h13v9h-13zM1.5 4l6.5 5 6.5-5" /></svg>
        </a>
      )}
    </>
  );
}

function inWords(date: string): string {
  const parsed = new Date(date);
  if (Number.isNaN(parsed.getTime())) return date;
  return parsed.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
}
