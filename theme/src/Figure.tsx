import { Children } from './Children.js';
import { usePage } from './context.js';
import { hrefOf } from './Link.js';
import type { Node } from './node.js';
import { isPlot } from './Output.js';

/**
 * A figure, table or listing with its caption. What can be explored gets the wide column, unless its class says otherwise;
 * a plot is as wide as the text, so that its type is as large.
 */
export function Figure({ node }: { node: Node }) {
  const { page } = usePage();
  // A figure that is embedded from a notebook brings the cell's code along; the notebook is where that is read.
  const embedded = node.source !== undefined && page.kind !== 'Notebook';
  // The static stand-in is what paper shows, and readers without JavaScript see.
  const standIn = (node.children ?? []).find(({ placeholder }) => placeholder === true);
  const children = (node.children ?? []).filter((child) => child !== standIn && !(embedded && child.type === 'code'));
  const view = children.findIndex(needsScript);
  if (standIn !== undefined && view >= 0) children.splice(view + 1, 0, { type: 'standIn', children: [standIn] });
  const panels = children.filter(({ subcontainer }) => subcontainer === true);
  // Two pictures of one place: the client lays them over one another.
  const compares = panels.length === 2 && node.class?.split(' ').includes('compare') === true;
  // The client fills these tools, above the table and below its caption.
  const searchable = node.class?.split(' ').includes('searchable') === true;
  const table = children.findIndex(({ type }) => type !== 'caption');
  if (searchable && table >= 0) children.splice(table, 0, { type: 'tableTools' });
  const wide = node.subcontainer !== true && (panels.length > 0 || children.some(needsRoom));
  const classes = ['figure', `figure-${node.kind ?? 'figure'}`, node.class, wide ? 'wide' : undefined];
  return (
    <figure id={node.html_id ?? node.identifier} className={classes.filter(Boolean).join(' ')}>
      {panels.length > 0 && (
        <div className="panels" data-compare={compares ? '' : undefined}><Children of={panels} /></div>
      )}
      <Children of={children.filter((child) => !panels.includes(child))} />
      {embedded && !children.some(({ type }) => type === 'details') && <Source node={node} />}
    </figure>
  );
}

/** What is seen in a view's place where there is no view. */
export function StandIn({ node }: { node: Node }) {
  return <div className="stand-in"><Children of={node.children} /></div>;
}

/** Where a table is searched and filtered; without JavaScript there is none of it. */
export function TableTools() {
  return <div className="table-tools" />;
}

function needsRoom(node: Node): boolean {
  if (node.type === 'anywidget' || node.type === 'output') return !isPlot(node);
  return (node.children ?? []).some(needsRoom);
}

function needsScript(node: Node): boolean {
  if (node.type === 'anywidget' || node.jupyter_data?.data?.['application/vnd.plotly.v1+json'] !== undefined) return true;
  return (node.children ?? []).some(needsScript);
}

function Source({ node }: { node: Node }) {
  const { base } = usePage();
  const { source } = node;
  if (source?.url === undefined) return null;
  return (
    <p className="figure-source">
      {source.kind === 'Notebook' ? 'Made by' : 'From'} <a href={hrefOf({ type: 'link', internal: true, url: source.url }, base)}>{source.title ?? 'its notebook'}</a>
    </p>
  );
}

export function Caption({ node }: { node: Node }) {
  return <figcaption><Children of={node.children} /></figcaption>;
}

export function Legend({ node }: { node: Node }) {
  return <div className="legend"><Children of={node.children} /></div>;
}

export function CaptionNumber({ node }: { node: Node }) {
  const name = <Children of={node.children} />;
  const id = node.html_id ?? node.identifier;
  // The space is there for who copies or listens.
  return <>{id === undefined ? <b className="caption-number">{name}</b> : <a className="caption-number" href={`#${id}`}>{name}</a>} </>;
}
