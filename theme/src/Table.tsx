import { Children } from './Children.js';
import { textOf, type Node } from './node.js';

/** A table scrolls in a box of its own, never with the page. Leading rows of header cells make its head. */
export function Table({ node }: { node: Node }) {
  const rows = node.children ?? [];
  const firstBody = rows.findIndex((row) => row.children?.every((cell) => cell.header === true) !== true);
  const head = rows.slice(0, firstBody < 0 ? rows.length : firstBody);
  const body = firstBody < 0 ? [] : rows.slice(firstBody);
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Table">
      <table className={node.class} id={node.html_id}>
        {head.length > 0 && <thead>{head.map((row, at) => <Row key={row.key ?? at} row={row} scope="col" />)}</thead>}
        <tbody>{body.map((row, at) => <Row key={row.key ?? at} row={row} scope="row" />)}</tbody>
      </table>
    </div>
  );
}

/** Short entries such as names and numbers stay on one line; sentences wrap. */
function classesOf(cell: Node): string | undefined {
  const classes = [cell.align && `align-${cell.align}`, textOf(cell).length <= 24 && 'short'];
  return classes.filter(Boolean).join(' ') || undefined;
}

function Row({ row, scope }: { row: Node; scope: 'col' | 'row' }) {
  return (
    <tr>
      {row.children?.map((cell, at) => {
        const Cell = cell.header === true ? 'th' : 'td';
        return (
          <Cell
            key={cell.key ?? at}
            scope={cell.header === true ? scope : undefined}
            colSpan={cell.colspan}
            rowSpan={cell.rowspan}
            className={classesOf(cell)}
          >
            <Children of={cell.children} />
          </Cell>
        );
      })}
    </tr>
  );
}
