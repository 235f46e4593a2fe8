import type { Shown } from './figures.js';

/** Opens the index of figures, with or without JavaScript. */
export function FigureIndexButton() {
  return <button type="button" className="figure-index-button" popoverTarget="figure-index">Figures</button>;
}

/** All figures of the book with thumbnails, which load when the index is opened, and its tables by name. */
export function FigureIndex({ shown }: { shown: Shown[] }) {
  const tables = shown.filter(({ kind }) => kind === 'table');
  return (
    <div id="figure-index" className="figure-index" popover="auto" role="dialog" aria-labelledby="figure-index-title">
      <div className="figure-index-head">
        <h2 id="figure-index-title">Figures and tables</h2>
        <button type="button" popoverTarget="figure-index" popoverTargetAction="hide" autoFocus>Close</button>
      </div>
      <ul className="thumbnails">
        {shown.filter(({ kind }) => kind === 'figure').map((figure) => (
          <li key={figure.href}>
            <a href={figure.href}>
              <span className="thumbnail">
                {figure.image === undefined ? (
                  <small>{figure.elsewhere === undefined ? figure.number : <>Opens from<br />{figure.elsewhere}</>}</small>
                ) : (
                  <img src={figure.image} alt="" loading="lazy" decoding="async" />
                )}
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
    </div>
  );
}
