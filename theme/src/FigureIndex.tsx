import type { Shown } from './figures.js';

/** Opens the index of figures, with or without JavaScript. */
export function FigureIndexButton() {
  return <button type="button" className="figure-index-button" popoverTarget="figure-index">Figures</button>;
}

/** All figures of the book with thumbnails, which load when the index is opened, and its tables by name. */
export function FigureIndex({ shown }: { shown: Shown[] }) {
  const tables = shown.filter(({ kind }) => kind === 'table');
  return (
    <nav id="figure-index" className="figure-index" popover="auto" aria-label="Figures and tables of the book">
      <div className="figure-index-head">
        <p>Figures and tables</p>
        <button type="button" popoverTarget="figure-index" popoverTargetAction="hide">Close</button>
      </div>
      <ul className="thumbnails">
        {shown.filter(({ kind }) => kind === 'figure').map((figure) => (
          <li key={figure.href}>
            <a href={figure.href}>
              <span className="thumbnail">
                {figure.image === undefined ? <i aria-hidden="true" /> : <img src={figure.image} alt={figure.number} loading="lazy" decoding="async" />}
              </span>
              <b>{figure.number}</b> {figure.title} <small>{figure.page}</small>
            </a>
          </li>
        ))}
      </ul>
      {tables.length > 0 && (
        <ul className="table-names">
          {tables.map((table) => <li key={table.href}><a href={table.href}><b>{table.number}</b> {table.title} <small>{table.page}</small></a></li>)}
        </ul>
      )}
    </nav>
  );
}
