import type { Entry } from './site.js';

export function PageTurn({ previous, next }: { previous?: Entry; next?: Entry }) {
  if (previous === undefined && next === undefined) return null;
  return (
    <nav className="page-turn" aria-label="Previous and next page">
      {previous !== undefined && (
        <a href={previous.href} rel="prev"><span>Previous</span>{previous.title}</a>
      )}
      {next !== undefined && (
        <a href={next.href} rel="next"><span>Next</span>{next.title}</a>
      )}
    </nav>
  );
}
