import { Appearance, AppearanceButton } from './Appearance.js';
import { FigureIndexButton } from './FigureIndex.js';
import { Outline } from './Outline.js';
import { SearchButton } from './Search.js';
import type { Entry, Section } from './site.js';

interface Props { title: string; home: string; entries: Entry[]; sections: Section[]; hasFigures: boolean }

/**
 * The book's contents: a column on wide screens, a drawer on narrow ones. The drawer is the browser's own popover, so
 * that it opens and closes without JavaScript too.
 */
export function Navigation({ title, home, entries, sections, hasFigures }: Props) {
  return (
    <>
      <header className="topbar">
        <a className="topbar-title" href={home}>{title}</a>
        <SearchButton />
        <AppearanceButton />
        <button type="button" className="topbar-menu" popoverTarget="contents">
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><path d="M3 5.5h14M3 10h14M3 14.5h9" /></svg>
          Contents
        </button>
      </header>
      <aside id="contents" className="sidebar" aria-label="Book" popover="auto">
        <div className="sidebar-head">
          <a className="sidebar-title" href={home}>{title}</a>
          <button type="button" className="sidebar-close" popoverTarget="contents" popoverTargetAction="hide">Close</button>
        </div>
        <div className="tools">
          <SearchButton />
          {hasFigures && <FigureIndexButton />}
        </div>
        <nav aria-label="Contents of the book">
          <ul className="toc">
            {entries.map((entry, at) => (
              <li key={at} className={entry.href === undefined ? 'toc-group' : `toc-page toc-level-${entry.level}`}>
                {entry.href === undefined ? (
                  entry.title
                ) : (
                  <a href={entry.href} aria-current={entry.current ? 'page' : undefined}>
                    {entry.number !== undefined && <span className="toc-number">{entry.number}</span>}
                    {at === 0 && entry.title === title ? 'Start' : entry.title}
                  </a>
                )}
                {entry.current && <Outline sections={sections} />}
              </li>
            ))}
          </ul>
        </nav>
        <Appearance />
      </aside>
    </>
  );
}
