// The plugin as MyST calls it, on a project of few files: what it writes is what every theme renders.
/**
 * @import { Node, Page, Plugin, Position, Selectors } from './types.ts'
 * @typedef {{ text: string; place?: Position; fatal?: boolean | null }} Message
 */
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
  code: { 'nnbook.measurement.imaged_area.area': 'ab', 'nnbook.measurement.imaged_area.Area': 'cd', 'nnbook.io.edition.read_edition': 'ef' }, drawn: ['figures/area.png', 'figures/live/area.json'], version: '0.1.0', commit: '0123456789abcdef',
  parameters: { k: 10, note: 'Simulated.' }, seed: 7, environment: 'ab12cd34'.repeat(8), machine: { processor: 'x86_64', system: 'Linux', python: '3.11.2' },
  made: '2026-11-21T14:05:33+00:00', seconds: 3.21, command: 'nnbook notebook area',
};

/** @type {string[]} */
const folders = [];
/** @type {string} */
let folder;
/** @type {Plugin} */
let plugin;

async function project() {
  folder = mkdtempSync(join(tmpdir(), 'nnbook-plugin-'));
  folders.push(folder);
  for (const name of ['plugins', 'build/book/provenance', 'build/book/cells', 'build/book/figures/live', 'build/book/records', 'notebooks', 'chapters']) mkdirSync(join(folder, name), { recursive: true });
  cpSync(new URL('nnbook.mjs', import.meta.url), join(folder, 'plugins/nnbook.mjs'));
  write('build/book/numbers.json', { 'area.cm2': AREA });
  write('build/book/published.json', { 'area.cm2': CITED, 'cells.side': SIDE });
  write('build/book/edition.json', { name: 'twin', simulated: true });
  write('build/book/provenance/area.json', RECORD);
  write('build/book/cells/cells.json', { cells: 0 });
  write('build/book/cells/record.json', { stage: 'nnbook.cells.writer.write_cells', code: { 'nnbook.cells.writer.BOX': 'ab', 'nnbook.cells.writer.write_cells': 'cd' } });
  writeFileSync(join(folder, 'notebooks/area.md'), 'from nnbook.measurement.imaged_area import area');
  /** @type {unknown} */
  const imported = await import(pathToFileURL(join(folder, 'plugins/nnbook.mjs')).href);
  ({ default: plugin } = /** @type {{ default: Plugin }} */ (imported));
}

/** @type {(name: string, value: unknown) => void} */
function write(name, value) {
  writeFileSync(join(folder, name), JSON.stringify(value));
}

/** @type {(node: Node, visit: (node: Node) => void) => void} */
function walk(node, visit) {
  visit(node);
  (node.children ?? []).forEach((child) => { walk(child, visit); });
}

/** @type {(selector: string, tree: Node) => Node[]} */
function selectAll(selector, tree) {
  const types = selector.split(',');
  /** @type {Node[]} */
  const found = [];
  walk(tree, (node) => { if (types.includes(node.type)) found.push(node); });
  return found;
}

/** @type {Selectors} */
const selectors = { selectAll, select: (selector, tree) => selectAll(selector, tree)[0] ?? null };

/**
 * A page after MyST has put its roles and directives in and called the transforms.
 * @type {(children: Node[], path?: string) => { tree: Node; messages: Message[] }}
 */
function page(children, path = 'chapters/one.md') {
  /** @type {Message[]} */
  const messages = [];
  /** @type {Page} */
  const file = { path, message: (text, place) => { messages.push({ text, place }); return messages.at(-1) ?? {}; } };
  const tree = { type: 'root', children };
  for (const { stage, plugin: transform } of plugin.transforms) {
    assert.ok(['document', 'project'].includes(stage));
    transform(undefined, selectors)(tree, file);
  }
  return { tree, messages };
}

/** @type {(name: string, body: string, line?: number) => Node} */
function role(name, body, line = 3) {
  const [node] = plugin.roles?.find((one) => one.name === name)?.run({ body, node: { position: { start: { line } } } }) ?? [];
  assert.ok(node);
  return node;
}

/** @type {(of: string) => Node[]} */
function index(of) {
  return plugin.directives?.[0]?.run({ arg: of, node: { position: { start: { line: 1 } } } }) ?? [];
}

/**
 * What a page's first message says, which has to stop the build.
 * @type {(children: Node[]) => string}
 */
function complaint(children) {
  const [message] = page(children).messages;
  assert.equal(message?.fatal, true);
  return message.text;
}

/** @type {(node: Node, at?: number) => Node} */
function child(node, at = 0) {
  const found = node.children?.at(at);
  assert.ok(found);
  return found;
}

/** @type {(node: Node) => string} */
function textOf(node) {
  return node.value ?? (node.children ?? []).map(textOf).join('');
}

after(() => { folders.forEach((one) => { rmSync(one, { recursive: true }); }); });
beforeEach(project);

describe('a number', () => {
  it('is a link to its notebook, with what it is and where it comes from', () => {
    const number = child(page([role('number', 'area.cm2')]).tree);
    assert.equal(number.type, 'link');
    assert.equal(number.url, '/build/book/notebooks/area.ipynb');
    assert.equal(textOf(number), '37.25\u00a0cm²');
    const { type, title } = child(number);
    assert.equal(type, 'abbreviation');
    assert.deepEqual(title?.split('\n'), ['Imaged area', 'Computed by nnbook.measurement.imaged_area.area from edition.json', 'Simulated panoramas, or the program itself', 'Notebook: The imaged area']);
  });

  it('that was recomputed from published data says so', () => {
    write('build/book/numbers.json', { 'published.area.cm2': AREA });
    const number = child(page([role('number', 'published.area.cm2')]).tree);
    assert.match(child(number).title ?? '', /Recomputed from published data alone/);
  });

  it('of published data that this build lacks is the recorded one, and says so', () => {
    write('build/book/numbers.json', { 'published.area.cm2': { ...AREA, value: null, shown: '–' } });
    write('build/book/recorded.json', { 'published.area.cm2': '37.25\u00a0cm²' });
    const number = child(page([role('number', 'published.area.cm2')]).tree);
    assert.equal(textOf(number), '37.25\u00a0cm²');
    assert.match(child(number).title ?? '', /as recorded: this build lacks the published table/);
  });

  it('that an edition has no data for says so', () => {
    write('build/book/numbers.json', { 'area.cm2': { ...AREA, value: null, shown: '–' } });
    const number = child(page([role('number', 'area.cm2')]).tree);
    assert.equal(textOf(number), '–');
    assert.match(child(number).title ?? '', /nothing in this build to compute it from/);
  });

  it('that changed shows its new value, without a new start', () => {
    page([role('number', 'area.cm2')]);
    write('build/book/numbers.json', { 'area.cm2': { ...AREA, shown: '99.00\u00a0cm²' } });
    assert.equal(textOf(page([role('number', 'area.cm2')]).tree), '99.00\u00a0cm²');
  });

  it('that nothing named is an error at its line that names the key, and the keys that are near', () => {
    const { messages } = page([role('number', 'area.cm3', 17)]);
    assert.equal(messages.length, 1);
    const [message] = messages;
    assert.equal(message?.fatal, true);
    assert.equal(message.text, 'number area.cm3, which no notebook names; there are area.cm2');
    assert.equal(message.place?.start.line, 17);
  });

  it('of an edition that was not made is an error', () => {
    rmSync(join(folder, 'build/book/numbers.json'));
    assert.match(complaint([role('number', 'area.cm2')]), /numbers\.json: no such file; run make book first/);
  });

  it('is not found among what every object has', () => {
    assert.match(complaint([role('number', 'constructor')]), /^number constructor, which no notebook names$/);
  });
});

describe('a published value', () => {
  it('has a mark, and names its source', () => {
    const value = child(page([role('published', 'area.cm2')]).tree);
    assert.equal(textOf(value), '37.25\u00a0cm²†');
    assert.match(value.class ?? '', /value-published/);
    assert.match(child(value).title ?? '', /^Imaged area\nPublished value: A\. Author, A book \(book\)$/);
  });

  it('links to no DOI on paper, where MyST would write the citation instead', (context) => {
    const source = { ...CITED.source, address: 'https://doi.org/10.1242/jcs.258986' };
    write('build/book/published.json', { 'area.cm2': { ...CITED, source } });
    assert.equal(child(page([role('published', 'area.cm2')]).tree).url, source.address);
    context.mock.property(process, 'argv', [...process.argv, '--typst']);
    const { tree } = page([role('published', 'area.cm2')]);
    assert.equal(textOf(tree), '37.25\u00a0cm²†');
    assert.equal(child(tree).url, undefined);
  });

  it('links to the list of published values, or to its source where there is none', () => {
    assert.equal(child(page([role('published', 'area.cm2')]).tree).url, 'https://example.org/');
    writeFileSync(join(folder, 'chapters/reproduce.md'), '');
    assert.equal(child(page([role('published', 'area.cm2')]).tree).url, '/chapters/reproduce.md#published_values');
  });

  it('joined to another has one unit and one mark', () => {
    assert.equal(textOf(page([role('published', 'cells.side × cells.side')]).tree), '256\u00a0×\u00a0256\u00a0px†');
  });

  it('that nothing cites is an error', () => {
    assert.match(complaint([role('published', 'area.m2', 4)]), /^published value area\.m2, which published\.yml/);
  });
});

describe('an index', () => {
  it('lists all numbers, published values or notebooks', () => {
    for (const [of, listed] of Object.entries({ numbers: 'area.cm2', published: 'A. Author, A book', notebooks: 'nnbook notebook area' })) {
      const table = child(page(index(of)).tree);
      assert.equal(table.type, 'table');
      assert.ok(child(table).children?.every(({ header }) => header));
      assert.ok(textOf(table).includes(listed), of);
    }
  });

  it('of notebooks refers to the figures of chapters that embed theirs', () => {
    assert.deepEqual(selectAll('crossReference', page(index('notebooks')).tree), []);
    assert.match(textOf(page(index('notebooks')).tree), /for print/, 'what is in no chapter has no number to be called by');
    writeFileSync(join(folder, 'chapters/one.md'), ':::{figure} #tbl:area\n:kind: table\n:label: Table5\n\nThe area.\n:::\n');
    const [reference] = selectAll('crossReference', page(index('notebooks')).tree);
    assert.deepEqual([reference?.identifier, reference?.label], ['table5', 'Table5']);
  });

  it('of something else is an error', () => {
    assert.match(complaint(index('figures')), /there is none; write numbers, published or notebooks/);
  });
});

describe('how a figure was made', () => {
  /** @type {(content: Node) => Node} */
  const figure = (content) => ({ type: 'container', kind: 'figure', children: [content, { type: 'caption', children: [] }] });
  const embedded = { type: 'image', url: '#tbl:area' };
  /** @type {(details: Node) => Record<string, string>} */
  const rows = (details) => {
    const descriptions = selectAll('definitionDescription', details).map(textOf);
    return Object.fromEntries(selectAll('definitionTerm', details).map((term, at) => [textOf(term), descriptions[at] ?? '']));
  };

  it('is in what embeds a notebook, in lines', () => {
    const { tree } = page([figure({ ...embedded })]);
    const made = child(child(tree), -1);
    assert.equal(made.type, 'details');
    assert.equal(made.class, 'made');
    assert.deepEqual(rows(made), {
      Notebook: 'The imaged area',
      Data: 'results.csv\u00a0d0ce1027',
      Code: 'nnbook 0.1.0, commit 01234567: measurement.imaged_area.area and 2 more behind them',
      Settings: 'k = 10, seed = 7',
      Made: '2026-11-21, 14:05\u00a0UTC in 3.2\u00a0s on x86_64, Linux, Python\u00a03.11.2',
      Packages: 'requirements.txt ab12cd34',
      'Make it again': 'nnbook notebook area',
    });
  });

  it('of a widget names its data, the stage that made them, and the command', () => {
    const widget = { type: 'anywidget', esm: '../widgets/dist/cells.mjs', model: { cells: 'cells/cells.json', viewer: '#fig', none: 'cells/none.json' } };
    const made = rows(child(child(page([figure(widget)]).tree), -1));
    assert.match(made.Data ?? '', /^cells\/cells\.json\u00a0[0-9a-f]{8}$/);
    assert.equal(made.Code, 'cells.writer.write_cells and 2 more behind it');
    assert.equal(made['Make it again'], 'make run EDITION=twin');
  });

  it('of a widget whose data a notebook drew names both', () => {
    write('build/book/figures/live/area.json', {});
    const widget = { type: 'anywidget', esm: '../widgets/dist/primer.mjs', model: { data: 'live/area.json' } };
    const made = rows(child(child(page([figure(widget)]).tree), -1));
    assert.match(made.Data ?? '', /^figures\/live\/area\.json\u00a0[0-9a-f]{8}$/);
    assert.deepEqual([made.Notebook, made['Make it again'], made.Code], ['The imaged area', 'nnbook notebook area', undefined]);
  });

  it('closes the page of a notebook, which needs no link to itself', () => {
    const { tree } = page([{ type: 'paragraph', children: [] }], '/somewhere/build/book/notebooks/area.ipynb');
    const made = rows(child(tree, -1));
    assert.equal(made.Notebook, undefined);
    assert.equal(made['Make it again'], 'nnbook notebook area');
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

describe('a step', () => {
  const STEPS = { layer: 'twin', places: { telophase: { panorama: 'Run1TL_top_left', roi: 12, view: [900, 640, 640] } } };

  it('is a link that moves a view to the first nucleus of its class', () => {
    write('build/book/steps.json', STEPS);
    const link = child(page([role('step', 'a telophase <fig1a telophase>')]).tree);
    assert.equal(link.url, '#fig1a&panorama=Run1TL_top_left&layer=twin&roi=12&view=900,640,640');
    assert.equal(textOf(link), 'a telophase');
  });

  it('is plain text where there is none of its class', () => {
    write('build/book/steps.json', { layer: 'mine', places: {} });
    assert.deepEqual(child(page([role('step', 'a telophase <fig1a telophase>')]).tree).type, 'text');
  });

  it('that says nothing of where is an error', () => {
    write('build/book/steps.json', STEPS);
    assert.match(complaint([role('step', 'a telophase')]), /^step a telophase: write what is shown/);
  });
});

describe('a figure of layers', () => {
  const LAYERS = [
    { name: 'published', label: 'Published', folder: 'published/', has: ['panoramas'] },
    { name: 'twin', label: 'Simulated', folder: '', has: ['panoramas', 'cells'] },
  ];
  const figure = () => ({ type: 'container', kind: 'figure', children: [{ type: 'image', url: '#tbl:area', alt: 'A table' }, { type: 'caption', children: [] }] });
  /** @type {(layers: object[], of: string) => void} */
  const lists = (layers, of) => {
    write('build/book/layers.json', { version: 1, layers });
    writeFileSync(join(folder, 'notebooks/area.md'), `#| label: tbl:area\n#| layers: ${of}\ntable`);
  };

  it('has a tab of each that has the data', () => {
    lists(LAYERS, 'panoramas');
    const set = child(child(page([figure()]).tree));
    assert.equal(set.type, 'tabSet');
    const items = selectAll('tabItem', set);
    assert.deepEqual(items.map(({ title }) => title), ['Published', 'Simulated']);
    assert.deepEqual(items.map((item) => child(item).url), ['#tbl:area', '#tbl:area-simulated']);
    assert.deepEqual(items.map(({ selected }) => selected), [true, undefined]);
  });

  it('says which one it is where only one has the data', () => {
    lists(LAYERS, 'cells');
    const [name, image] = child(page([figure()]).tree).children ?? [];
    assert.equal(textOf(name ?? { type: '' }), 'Simulated');
    assert.equal(image?.url, '#tbl:area');
  });

  it('of own images alone is as it was', () => {
    lists([{ name: 'mine', label: null, folder: '', has: ['panoramas'] }], 'panoramas');
    assert.equal(child(child(page([figure()]).tree)).url, '#tbl:area');
  });

  it('is the first layer alone where it is printed', (context) => {
    context.mock.property(process, 'argv', [...process.argv, '--typst']);
    lists(LAYERS, 'panoramas');
    assert.equal(child(child(page([figure()]).tree)).url, '#tbl:area');
  });
});

it('all that is written are nodes of plain MyST', () => {
  const { tree } = page([
    role('number', 'area.cm2'), role('published', 'cells.side × cells.side'),
    ...['numbers', 'published', 'notebooks'].flatMap(index),
  ], 'notebooks/area.ipynb');
  walk(tree, ({ type }) => { if (type !== 'root') assert.ok(KNOWN.has(type), type); });
  walk(tree, (node) => { assert.ok(!('kind' in node)); });
});
