// The book on paper: what only a browser can show becomes what replaces it there.
// 'nnbook print' loads this after nnbook.mjs; the site does not.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @import { Node, Plugin, Transform } from './types.ts' */

/** In hundredths of the width of the text. */
const MOST_WIDTH = 90;
const MOST_HEIGHT = 75;

/** @type {Transform} */
const still = {
  name: 'still',
  doc: 'Puts static images in the place of views, and lists in that of cards.',
  stage: 'document',
  plugin: (_, { selectAll }) => (tree, page) => {
    for (const figure of selectAll('container', tree)) {
      const children = (figure.children ?? []).map((child) => (isElsewhere(child) ? onTheWeb(child) : child));
      figure.children = children;
      if (!children.some(isView)) continue;
      if (!children.some(({ placeholder }) => placeholder)) {
        const message = `${page.path ?? ''}: the view ${figure.label ?? ''} has no :placeholder:, an image that stands in for it on paper`;
        page.message(message, figure.position).fatal = true;
      }
      figure.children = children.filter((child) => !isView(child));
    }
    for (const parent of selectAll('*', tree)) {
      if (parent.type !== 'container' && parent.children?.some(isView)) parent.children = parent.children.map((child) => (isView(child) ? onlyThere(child) : child));
    }
    for (const image of selectAll('container > image', tree)) {
      const { placeholder, url = '' } = image;
      if (placeholder && url.endsWith('.png')) image.width = widthOf(join(dirname(page.path ?? ''), url));
    }
    for (const grid of selectAll('grid', tree)) become(grid, { type: 'list', ordered: false, children: (grid.children ?? []).map(item) });
  },
};

/** @type {(node: Node) => boolean} */
function isView({ type }) {
  return type === 'anywidget';
}

/**
 * Whether a view shows an image that only another host has.
 * @type {(node: Node) => boolean}
 */
function isElsewhere({ type, model }) {
  return type === 'anywidget' && /^https?:/.test(String(addressOf(model)));
}

/**
 * The address of the image that a view shows.
 * @type {(model: Node['model']) => unknown}
 */
function addressOf(model) {
  return model?.tileSources ?? model?.zarr;
}

/** @type {(view: Node) => Node} */
function onTheWeb({ model }) {
  const url = String(addressOf(model));
  return { type: 'paragraph', children: [{ type: 'text', value: 'On the web: ' }, { type: 'link', url, children: [{ type: 'text', value: url }] }] };
}

/**
 * What is said of a view that is no figure, and has no picture.
 * @type {(view: Node) => Node}
 */
function onlyThere({ model }) {
  return { type: 'paragraph', children: [{ type: 'emphasis', children: [{ type: 'text', value: `On the web only: ${typeof model?.label === 'string' ? model.label : 'a view'}.` }] }] };
}

/**
 * How wide an image is on a page, so that it leaves room for its caption and some text.
 * @type {(path: string) => string}
 */
function widthOf(path) {
  const header = readFileSync(path).subarray(16, 24);
  return `${Math.min(MOST_WIDTH, Math.round((MOST_HEIGHT * header.readUInt32BE(0)) / header.readUInt32BE(4)))}%`;
}

/** @type {Transform} */
const inward = {
  name: 'inward',
  doc: 'Makes text of references to pages that are not part of the article.',
  stage: 'project',
  plugin: (_, { selectAll }) => (tree) => {
    if (process.argv.includes('--jats')) return; // which has the notebooks within
    for (const parent of selectAll('*', tree)) {
      if (!parent.children?.some(isOutside)) continue;
      parent.children = parent.children.flatMap((child) => (isOutside(child) ? child.children ?? [] : [child]));
    }
  },
};

/** @type {Transform} */
const numbered = {
  name: 'numbered',
  doc: 'Begins captions with their number where Typst would count on its own.',
  stage: 'project',
  plugin: (_, { select, selectAll }) => (tree) => {
    if (!process.argv.includes('--typst')) return;
    for (const figure of selectAll('container', tree)) {
      const caption = select('caption > paragraph', figure);
      if (caption === null || figure.enumerator === undefined) continue;
      const kind = figure.kind === 'table' ? 'Table' : 'Figure';
      caption.children?.unshift({ type: 'strong', children: [{ type: 'text', value: `${kind}\u00a0${figure.enumerator}.` }] }, { type: 'text', value: ' ' });
    }
  },
};

/** The type of an output that holds the cells of a table, as nnbook.values.table writes it. */
const TABLE = 'application/vnd.nnbook.table+json';

/** @type {Transform} */
const tabulated = {
  name: 'tabulated',
  doc: 'Shows outputs as the table that they hold, where a page shows it in a form that paper has not.',
  stage: 'document',
  plugin: (_, { selectAll }) => (tree) => {
    for (const { jupyter_data: output } of selectAll('output', tree)) {
      const held = output?.data?.[TABLE];
      if (output?.data === undefined || held === undefined) continue;
      if (JSON.stringify(output.data['text/html'] ?? '').includes('<table')) continue;
      output.data['text/html'] = tableOf(/** @type {Held} */ (held));
    }
  },
};

/** @typedef {{ header: string[], rows: string[][] }} Held */

/** @type {(held: Held) => string} */
function tableOf({ header, rows }) {
  const cells = (/** @type {string} */ tag, /** @type {string[]} */ row) => row.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join('');
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('');
  return `<table><thead><tr>${cells('th', header)}</tr></thead><tbody>${body}</tbody></table>`;
}

/** @type {(text: string) => string} */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/**
 * Whether a node refers to another page of the site, or to a file that goes with it.
 * @type {(node: Node) => boolean}
 */
function isOutside({ type, internal, remote, static: file }) {
  return (type === 'link' && (internal === true || file === true)) || (type === 'crossReference' && remote === true);
}

/**
 * A card as an item of a list: its title, then its text.
 * @type {(card: Node) => Node}
 */
function item({ children = [] }) {
  const words = children.flatMap((child) => (child.type === 'cardTitle' || child.type === 'paragraph' ? [child.children ?? []] : []));
  const [title = [], ...rest] = words;
  const body = rest.flatMap((part) => [{ type: 'text', value: ' ' }, ...part]);
  return { type: 'listItem', children: [{ type: 'paragraph', children: [{ type: 'strong', children: title }, ...body] }] };
}

/** @type {(node: Node, other: Node) => void} */
function become(node, other) {
  for (const key of Object.keys(node)) if (key !== 'position') Reflect.deleteProperty(node, key);
  Object.assign(node, other);
}

/** @type {Plugin} */
export default { name: 'print', transforms: [still, tabulated, inward, numbered] };
