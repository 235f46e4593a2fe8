// The plugin of the printed book, on the tree of a figure.
/** @import { Node, Page, Selectors } from './types.ts' */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import print from './print.mjs';

/** @type {(tree: Node) => Node[]} */
const all = (tree) => [tree, ...(tree.children ?? []).flatMap(all)];
const selectors = /** @type {Selectors} */ ({
  select: () => null,
  selectAll: (selector, tree) => (selector === 'container' ? all(tree).filter(({ type }) => type === selector) : []),
});

/**
 * What is printed of a figure, and what is said of it.
 * @type {(children: Node[]) => { children: Node[]; messages: string[] }}
 */
function printed(children) {
  const tree = { type: 'root', children: [{ type: 'container', label: 'fig1', children }] };
  /** @type {string[]} */
  const messages = [];
  const page = /** @type {Page} */ ({ path: 'a.md', message: (text) => (messages.push(text), {}) });
  const still = print.transforms.find(({ name }) => name === 'still');
  still?.plugin(undefined, selectors)(tree, page);
  return { children: tree.children[0]?.children ?? [], messages };
}

describe('a figure on paper', () => {
  for (const model of [{ tileSources: 'https://host.example/a.dzi' }, { zarr: 'https://host.example/a.ome.zarr' }]) {
    it(`says where ${Object.keys(model).join()} is that only another host has`, () => {
      const { children, messages } = printed([{ type: 'anywidget', model }]);
      assert.deepEqual(messages, []);
      assert.equal(children[0]?.type, 'paragraph');
      assert.equal(children[0].children?.[1]?.url, Object.values(model)[0]);
    });
  }

  it('has the picture that stands in for a view of its own files', () => {
    const picture = { type: 'image', placeholder: true, url: 'a.png' };
    assert.deepEqual(printed([{ type: 'anywidget', model: { images: 'channels.json' } }, picture]).children, [picture]);
    assert.match(printed([{ type: 'anywidget', model: { zarr: 'own.ome.zarr' } }]).messages.join(), /no :placeholder:/);
  });
});

const TABLE = 'application/vnd.nnbook.table+json';

/**
 * The HTML of an output on paper.
 * @type {(data: Record<string, unknown>) => unknown}
 */
function tabulated(data) {
  const transform = print.transforms.find(({ name }) => name === 'tabulated');
  transform?.plugin(undefined, { select: () => null, selectAll: () => [{ type: 'output', jupyter_data: { data } }] })({ type: 'root' }, { message: () => ({}) });
  return data['text/html'];
}

describe('an output on paper', () => {
  it('is the table that it holds', () => {
    const data = { 'text/html': ['<details>', '</details>'], [TABLE]: { header: ['Case'], rows: [['a < b & c']] } };
    assert.equal(tabulated(data), '<table><thead><tr><th>Case</th></tr></thead><tbody><tr><td>a &lt; b &amp; c</td></tr></tbody></table>');
  });

  it('stays as it is where it shows a table, or holds none', () => {
    assert.equal(tabulated({ 'text/html': '<table></table>', [TABLE]: { header: [], rows: [] } }), '<table></table>');
    assert.equal(tabulated({ 'text/html': '<p>Text.</p>' }), '<p>Text.</p>');
    assert.equal(tabulated({}), undefined);
  });
});

describe('a view on paper that is no figure', () => {
  it('is a line that says what is on the web only', () => {
    const block = { type: 'block', children: [{ type: 'anywidget', model: { label: 'Segmentation' } }] };
    const tree = { type: 'root', children: [block] };
    const still = print.transforms.find(({ name }) => name === 'still');
    still?.plugin(undefined, { select: () => null, selectAll: (selector) => (selector === '*' ? all(tree) : []) })(tree, { message: () => ({}) });
    assert.equal(block.children[0]?.type, 'paragraph');
    assert.match(JSON.stringify(block), /On the web only: Segmentation\./);
  });
});

describe('a link on paper', () => {
  it('is text where it leads to another page or a file of the site', () => {
    const inward = print.transforms.find(({ name }) => name === 'inward');
    const words = [{ type: 'text', value: 'the whole table' }];
    const link = (/** @type {Partial<Node>} */ extra) => ({ type: 'link', url: '/build/table.csv', children: words, ...extra });
    const paragraph = { type: 'paragraph', children: [link({ static: true }), link({ internal: true }), link({ url: 'https://host.example/' })] };
    inward?.plugin(undefined, { select: () => null, selectAll: () => [paragraph] })({ type: 'root' }, { message: () => ({}) });
    assert.deepEqual(paragraph.children.map(({ type }) => type), ['text', 'text', 'link']);
  });
});
