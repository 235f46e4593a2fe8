// The plugin as MyST calls it, on a project of few files: what it writes is what every theme knows.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

const KNOWN = new Set(
  ['abbreviation', 'definitionDescription', 'definitionList', 'definitionTerm', 'details', 'inlineCode', 'link', 'summary',
    'superscript', 'table', 'tableCell', 'tableRow', 'text'],
);
const AREA = {
  key: 'area.cm2', title: 'Imaged area', value: 37.2462, unit: 'cm²', digits: 2, shown: '37.25\u00a0cm²',
  source: 'nnbook.measurement.imaged_area.area', inputs: ['edition.json'], notebook: 'area',
};
const CITED = { title: 'Imaged area', value: 37.25, shown: '37.25\u00a0cm²', source: { authors: 'A. Author', title: 'A book', kind: 'book', address: 'https://example.org/' } };
const SIDE = { ...CITED, title: 'Side', shown: '256\u00a0px' };
const RECORD = {
  notebook: 'area', title: 'The imaged area', figures: ['tbl:area'], inputs: [{ path: 'build/twin/results.csv', sha256: 'd0ce1027'.repeat(8), bytes: 5 }],
  code: { 'nnbook.measurement.imaged_area.area': 'ab', 'nnbook.measurement.imaged_area.Area': 'cd', 'nnbook.io.edition.read_edition': 'ef' }, version: '0.1.0', commit: '0123456789abcdef',
  parameters: { k: 10, note: 'Simulated.' }, seed: 7, environment: 'ab12cd34'.repeat(8), machine: { processor: 'x86_64', system: 'Linux', python: '3.11.2' },
  made: '2026-11-21T14:05:33+00:00', seconds: 3.21, command: 'nnbook notebook area',
};

const folders = [];
let folder, plugin;

async function project() {
  folder = mkdtempSync(join(tmpdir(), 'nnbook-plugin-'));
  folders.push(folder);
  for (const name of ['plugins', 'build/book/provenance', 'build/book/cells', 'build/book/records', 'notebooks', 'chapters']) mkdirSync(join(folder, name), { recursive: true });
  cpSync(new URL('nnbook.mjs', import.meta.url), join(folder, 'plugins/nnbook.mjs'));
  write('build/book/numbers.json', { 'area.cm2': AREA });
  write('build/book/published.json', { 'area.cm2': CITED, 'cells.side': SIDE });
  write('build/book/edition.json', { name: 'twin', simulated: true });
  write('build/book/provenance/area.json', RECORD);
  write('build/book/cells/cells.json', { cells: 0 });
  write('build/book/records/cells.json', { stage: 'nnbook.pipeline.editions.cut_cells', code: { 'nnbook.cells.writer.BOX': 'ab', 'nnbook.cells.writer.write_cells': 'cd' } });
  writeFileSync(join(folder, 'notebooks/area.md'), 'from nnbook.measurement.imaged_area import area');
  ({ default: plugin } = await import(pathToFileURL(join(folder, 'plugins/nnbook.mjs')).href));
}

function write(name, value) {
  writeFileSync(join(folder, name), JSON.stringify(value));
}

function walk(node, visit) {
  visit(node);
  (node.children ?? []).forEach((child) => { walk(child, visit); });
}

function selectAll(selector, tree) {
  const types = selector.split(',');
  const found = [];
  walk(tree, (node) => { if (types.includes(node.type)) found.push(node); });
  return found;
}

const utils = { selectAll, select: (selector, tree) => selectAll(selector, tree)[0] ?? null };

/** A page after MyST has put its roles and directives in and called the transforms. */
function page(children, path = 'chapters/one.md') {
  const messages = [];
  const file = { path, message: (text, place) => { const said = { text, place }; messages.push(said); return said; } };
  const tree = { type: 'root', children };
  for (const { stage, plugin: transform } of plugin.transforms) {
    assert.equal(stage, 'document');
    transform(undefined, utils)(tree, file);
  }
  return { tree, messages };
}

function role(name, body, line = 3) {
  const { run } = plugin.roles.find((one) => one.name === name);
  return run({ body, node: { position: { start: { line, column: 1 } } } })[0];
}

function textOf(node) {
  return node.value ?? (node.children ?? []).map(textOf).join('');
}

after(() => { folders.forEach((one) => { rmSync(one, { recursive: true }); }); });
beforeEach(project);

describe('a number', () => {
  it('is a link to its notebook, with what it is and where it comes from', () => {
    const [number] = page([role('number', 'area.cm2')]).tree.children;
    assert.equal(number.type, 'link');
    assert.equal(number.url, '/build/book/notebooks/area.ipynb');
    assert.equal(textOf(number), '37.25\u00a0cm²');
    const [{ type, title }] = number.children;
    assert.equal(type, 'abbreviation');
    assert.deepEqual(title.split('\n'), ['Imaged area', 'Computed by nnbook.measurement.imaged_area.area from edition.json', 'Edition: twin, simulated', 'Notebook: The imaged area']);
  });

  it('that was recomputed from published data says that it is of no edition', () => {
    write('build/book/numbers.json', { 'published.area.cm2': AREA });
    const [number] = page([role('number', 'published.area.cm2')]).tree.children;
    assert.match(number.children[0].title, /the same in every edition/);
  });

  it('that an edition cannot tell says so', () => {
    write('build/book/numbers.json', { 'area.cm2': { ...AREA, value: null, shown: '–' } });
    const [number] = page([role('number', 'area.cm2')]).tree.children;
    assert.equal(textOf(number), '–');
    assert.match(number.children[0].title, /this edition has nothing to compute it from/);
  });

  it('that changed shows its new value, without a new start', () => {
    page([role('number', 'area.cm2')]);
    write('build/book/numbers.json', { 'area.cm2': { ...AREA, shown: '99.00\u00a0cm²' } });
    assert.equal(textOf(page([role('number', 'area.cm2')]).tree), '99.00\u00a0cm²');
  });

  it('that nothing named is an error at its line that names the key, and the keys that are near', () => {
    const { messages } = page([role('number', 'area.cm3', 17)]);
    assert.equal(messages.length, 1);
    assert.equal(messages[0].fatal, true);
    assert.equal(messages[0].text, 'number area.cm3, which no notebook names; there are area.cm2');
    assert.equal(messages[0].place.start.line, 17);
  });

  it('of an edition that was not made is an error', () => {
    rmSync(join(folder, 'build/book/numbers.json'));
    assert.match(page([role('number', 'area.cm2')]).messages[0].text, /numbers\.json: no such file; run make book first/);
  });

  it('is not found among what every object has', () => {
    assert.equal(page([role('number', 'constructor')]).messages[0].fatal, true);
  });
});

describe('a published value', () => {
  it('has a mark, and tells its source', () => {
    const [value] = page([role('published', 'area.cm2')]).tree.children;
    assert.equal(textOf(value), '37.25\u00a0cm²†');
    assert.match(value.class, /value-published/);
    assert.match(value.children[0].title, /^Imaged area\nPublished value: A\. Author, A book \(book\)$/);
  });

  it('links to the list of published values, or to its source where there is none', () => {
    assert.equal(page([role('published', 'area.cm2')]).tree.children[0].url, 'https://example.org/');
    writeFileSync(join(folder, 'chapters/reproduce.md'), '');
    assert.equal(page([role('published', 'area.cm2')]).tree.children[0].url, '/chapters/reproduce.md#published_values');
  });

  it('joined to another has one unit and one mark', () => {
    assert.equal(textOf(page([role('published', 'cells.side × cells.side')]).tree), '256\u00a0×\u00a0256\u00a0px†');
  });

  it('that nothing cites is an error', () => {
    assert.match(page([role('published', 'area.m2', 4)]).messages[0].text, /^published value area\.m2, which published\.yml/);
  });
});

describe('an index', () => {
  const index = (of) => plugin.directives[0].run({ arg: of, node: { position: { start: { line: 1 } } } });

  it('lists all numbers, published values or notebooks', () => {
    for (const [of, told] of [['numbers', 'area.cm2'], ['published', 'A. Author, A book'], ['notebooks', 'nnbook notebook area']]) {
      const [table] = page(index(of)).tree.children;
      assert.equal(table.type, 'table');
      assert.ok(table.children[0].children.every(({ header }) => header));
      assert.ok(textOf(table).includes(told), of);
    }
  });

  it('of notebooks refers to the figures of chapters that embed theirs', () => {
    assert.deepEqual(selectAll('crossReference', page(index('notebooks')).tree), []);
    writeFileSync(join(folder, 'chapters/one.md'), ':::{figure} #tbl:area\n:kind: table\n:label: Table5\n\nThe area.\n:::\n');
    const [reference] = selectAll('crossReference', page(index('notebooks')).tree);
    assert.deepEqual([reference.identifier, reference.label], ['table5', 'Table5']);
  });

  it('of something else is an error', () => {
    assert.match(page(index('figures')).messages[0].text, /there is none; write numbers, published or notebooks/);
  });
});

describe('how a figure was made', () => {
  const figure = (child) => ({ type: 'container', kind: 'figure', children: [child, { type: 'caption', children: [] }] });
  const embedded = { type: 'image', url: '#tbl:area' };
  const rows = (details) => Object.fromEntries(selectAll('definitionTerm', details).map((term, at) => [textOf(term), textOf(selectAll('definitionDescription', details)[at])]));

  it('stands in what embeds a notebook, in lines', () => {
    const { tree } = page([figure({ ...embedded })]);
    const made = tree.children[0].children.at(-1);
    assert.equal(made.type, 'details');
    assert.equal(made.class, 'made');
    assert.deepEqual(rows(made), {
      Notebook: 'The imaged area',
      Data: 'results.csv\u00a0d0ce1027',
      Code: 'nnbook 0.1.0, commit 01234567: area.area and 2 more behind them',
      Settings: 'k = 10, seed = 7',
      Made: '2026-11-21, 14:05\u00a0UTC in 3.2\u00a0s on x86_64, Linux, Python\u00a03.11.2',
      Packages: 'requirements.txt ab12cd34',
      'Make it again': 'nnbook notebook area',
    });
  });

  it('of a widget names its data, the stage that made them, and the command', () => {
    const widget = { type: 'anywidget', esm: '../widgets/dist/cells.mjs', model: { cells: 'cells/cells.json', viewer: '#fig', none: 'cells/none.json' } };
    const told = rows(page([figure(widget)]).tree.children[0].children.at(-1));
    assert.match(told.Data, /^cells\/cells\.json\u00a0[0-9a-f]{8}$/);
    assert.equal(told.Code, 'run.cut_cells and 2 more behind it');
    assert.equal(told['Make it again'], 'make run EDITION=twin');
  });

  it('closes the page of a notebook, which needs no link to itself', () => {
    const { tree } = page([{ type: 'paragraph', children: [] }], '/somewhere/build/book/notebooks/area.ipynb');
    const told = rows(tree.children.at(-1));
    assert.equal(told.Notebook, undefined);
    assert.equal(told['Make it again'], 'nnbook notebook area');
  });

  it('is left out where nothing is known', () => {
    const { tree } = page([figure({ type: 'image', url: 'nucleus.png' }), figure({ type: 'image', url: '#tbl:other' })]);
    assert.equal(selectAll('details', tree).length, 0);
  });

  it('is left out of what is printed, as are links to notebooks', (context) => {
    context.mock.property(process, 'argv', [...process.argv, '--typst']);
    writeFileSync(join(folder, 'chapters/reproduce.md'), '');
    const { tree } = page([figure({ ...embedded }), role('number', 'area.cm2'), role('published', 'area.cm2')]);
    assert.equal(selectAll('details', tree).length, 0);
    assert.deepEqual(selectAll('link', tree).map(({ url }) => url), ['https://example.org/']);
    assert.ok(textOf(tree).endsWith('37.25\u00a0cm²37.25\u00a0cm²†'));
  });
});

it('all that is written are nodes of plain MyST', () => {
  const { tree } = page([
    role('number', 'area.cm2'), role('published', 'cells.side × cells.side'),
    ...['numbers', 'published', 'notebooks'].flatMap((of) => plugin.directives[0].run({ arg: of, node: {} })),
  ], 'notebooks/area.ipynb');
  walk(tree, ({ type }) => { if (type !== 'root') assert.ok(KNOWN.has(type), type); });
  walk(tree, (node) => { assert.ok(!('kind' in node)); });
});
