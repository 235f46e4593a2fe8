// Where the book's numbers and figures come from, in its pages: `{number}` writes a value that a notebook named,
// `{published}` one that published work states, and under each figure is how it was made. All of it becomes nodes that
// every MyST theme renders. Roles leave only a mark in the tree: values are read when pages are put together, so a live
// preview shows those of a new run.
/**
 * @import {
 *   Directive, EditionFiles, InputFile, Layer, Node, NotebookRecord, Plugin, Role, Row, Selectors, Source, StageRecord,
 *   Transform
 * } from './types.ts'
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

// The plugins of a lab's own book are the program's, in another folder than the book.
const PROJECT = process.env.NNBOOK_BOOK ? pathToFileURL(`${process.env.NNBOOK_BOOK}/`) : new URL('../', import.meta.url);
const BOOK = new URL('build/book/', PROJECT);
const SOURCES_PAGE = 'chapters/reproduce.md';
const SOURCES_PART = 'published_values';
const MARK = '†';
const DOI = /^https?:\/\/(dx\.)?doi\.org\//;
const PRINTED = /^--(all|docx|jats|md|meca|pdf|tex|typst|word|xml)$/;
const MOST_NAMES = 8;
const STEP = 'step:';
const PLUMBING = /^nnbook\.(errors|io\.edition|io\.files|values\.computed|figures\.style\.picture)\b/;
/**
 * How the name of the record of the stage that made what a view reads begins.
 * @type {Record<string, string>}
 */
const STAGES = {
  'pyramids/index.json': 'pyramid-', 'pyramids/panoramas.json': 'measure.', 'mosaic/mosaic.json': 'mosaic.',
};

/** @type {Role} */
const numberRole = {
  name: 'number',
  doc: 'A value that a notebook computed and named, with its unit.',
  body: { type: String, required: true, doc: 'The key of the number.' },
  run: (data) => [{ type: 'namedValue', kind: 'computed', value: data.body, position: data.node.position }],
};

/** @type {Role} */
const publishedRole = {
  name: 'published',
  doc: 'A value that published work states, with its unit and a mark.',
  body: { type: String, required: true, doc: 'The key of the value; several are joined by ×.' },
  run: (data) => [{ type: 'namedValue', kind: 'cited', value: data.body, position: data.node.position }],
};

/** @type {Role} */
const stepRole = {
  name: 'step',
  doc: 'A link that moves a view of panoramas to the first nucleus of a class, or to two that touch: a metaphase <fig1a metaphase>.',
  body: { type: String, required: true, doc: 'What is written, and in angle brackets the label of the figure and the class, or touching.' },
  run: (data) => [{ type: 'namedValue', kind: 'step', value: data.body, position: data.node.position }],
};

/** @type {Directive} */
const indexDirective = {
  name: 'index-of',
  doc: 'A table of all numbers, of all published values, or of all notebooks.',
  arg: { type: String, required: true, doc: 'numbers, published or notebooks' },
  run: (data) => [{ type: 'indexOf', value: data.arg, position: data.node.position }],
};

/**
 * Puts values in the place of the marks that roles left.
 * @type {Transform}
 */
const values = {
  name: 'named-values',
  doc: 'Writes the values of {number} and {published}.',
  stage: 'document',
  plugin: (_, { selectAll }) => (tree, page) => {
    for (const mark of selectAll('namedValue,indexOf', tree)) {
      const { type, kind, value: key = '' } = mark;
      try {
        const written = type === 'indexOf' ? index(key) : kind === 'cited' ? cited(key) : kind === 'step' ? step(key) : computed(key);
        delete mark.value;
        delete mark.kind;
        Object.assign(mark, written);
      } catch (error) {
        // A page that says less than its author meant must not be built.
        page.message(error instanceof Error ? error.message : String(error), mark.position).fatal = true;
        Object.assign(mark, { type: 'text', value: key });
      }
    }
  },
};

/**
 * Adds to figures and to notebooks how they were made.
 * @type {Transform}
 */
const making = {
  name: 'how-this-was-made',
  doc: 'Adds under each figure and table how it was made, from the records of the build.',
  stage: 'document',
  plugin: (_, selectors) => (tree, page) => {
    if (isPrinted()) return;
    const records = provenance();
    for (const figure of selectors.selectAll('container', tree)) {
      const made = madeBy(figure, records, selectors);
      if (made !== undefined) figure.children?.push(disclosure(made));
    }
    const own = /notebooks\/([^/]+)\.ipynb$/.exec(page.path ?? '');
    const record = own === null ? undefined : records.find(({ notebook }) => notebook === own[1]);
    if (record !== undefined) tree.children?.push(disclosure(notebookMaking(record, false)));
  },
};

/**
 * Puts the layers of a figure under a switch: what was published, and the simulation of it.
 * @type {Transform}
 */
const layers = {
  name: 'layers-of-a-figure',
  doc: 'Shows what a notebook drew of each layer of the book: the cell that has the option `layers` draws the first.',
  stage: 'document',
  plugin: (_, { selectAll }) => (tree) => {
    if (isPrinted()) return;
    const dataOf = layered();
    for (const figure of selectAll('container', tree)) {
      const drawn = embedded(figure);
      const label = drawn?.url?.slice(1) ?? '';
      const data = dataOf.get(label);
      if (drawn === undefined || data === undefined) continue;
      const there = read('layers.json').layers.filter(({ has }) => has.includes(data));
      const [first, second] = there;
      if (first?.label == null) continue;
      const shown = second === undefined ? [layerName(first.label), drawn] : [tabs(drawn, label, there)];
      figure.children = figure.children?.flatMap((child) => (child === drawn ? shown : [child]));
    }
  },
};

/**
 * Gives steps their address within the page, once MyST has looked for the targets of references, and puts what is embedded
 * in the place of the embedding, as MyST does outside of tabs.
 * @type {Transform}
 */
const resolved = {
  name: 'resolved-steps-and-layers',
  doc: 'Writes the addresses of {step}, and what tabs of layers embed.',
  stage: 'project',
  plugin: (_, { selectAll }) => (tree) => {
    for (const item of selectAll('tabItem', tree)) {
      item.children = item.children?.flatMap((child) => (child.type === 'embed' ? (child.children ?? []) : [child]));
    }
    for (const link of selectAll('link', tree)) {
      if (link.url?.startsWith(STEP) === true) link.url = `#${link.url.slice(STEP.length)}`;
    }
  },
};

/** @type {Plugin} */
export default {
  name: 'nnbook',
  roles: [numberRole, publishedRole, stepRole],
  directives: [indexDirective],
  transforms: [values, making, layers, resolved],
};

/** @type {(key: string) => Node} */
function computed(key) {
  const number = found(read('numbers.json'), key, 'number', 'which no notebook names');
  // A build without the published table has what was computed from it when the book was recorded.
  const recorded = number.value === null && key.startsWith('published.') ? read('recorded.json')[key] : undefined;
  const shown = recorded ?? number.shown;
  // On paper there is no page of a notebook to go to.
  if (isPrinted()) return text(shown);
  const { simulated } = read('edition.json');
  const title = titleOf(number.notebook);
  const files = number.inputs.length > 0 ? ` from ${number.inputs.join(', ')}` : '';
  const lacking = recorded === undefined ? ': there is nothing in this build to compute it from' : ', as recorded: this build lacks the published table';
  return value('number', shown, `/build/book/notebooks/${number.notebook}.ipynb`, [
    `${number.title}${number.value === null ? lacking : ''}`,
    `Computed by ${number.source}${files}`,
    key.startsWith('published.') ? 'Recomputed from published data alone' : simulated ? 'Simulated panoramas, or the program itself' : 'Images of this book, or the program itself',
    `Notebook: ${title}`,
  ]);
}

/** @type {(body: string) => Node} */
function step(body) {
  const [, written = '', figure = '', name = ''] = /^(.+?)\s*<(\S+) (\S+)>$/.exec(body) ?? [];
  if (written === '') throw new Error(`step ${body}: write what is shown, and <FIGURE CLASS>`);
  const { layer, places } = read('steps.json');
  const place = places[name];
  if (place === undefined || isPrinted()) return text(written);
  const { panorama, roi, view } = place;
  return { type: 'link', class: 'step', url: `${STEP}${figure}&panorama=${encodeURIComponent(panorama)}&layer=${layer}&roi=${roi}&view=${view.join(',')}`, children: [text(written)] };
}

/** @type {(keys: string) => Node} */
function cited(keys) {
  const all = read('published.json');
  const stated = keys.split('×').map((key) => found(all, key.trim(), 'published value', 'which published.yml does not cite'));
  const [first] = stated;
  if (first === undefined) throw new Error('published value: it has no key');
  const { source } = first;
  // 256 × 256 px: of values that are joined, the last has the unit.
  const shown = stated.map((one, at) => (at === stated.length - 1 ? one.shown : one.shown.split('\u00a0')[0])).join('\u00a0×\u00a0');
  const page = exists(new URL(SOURCES_PAGE, PROJECT)) && !isPrinted() ? `/${SOURCES_PAGE}#${SOURCES_PART}` : source.address;
  const lines = [...new Set(stated.map(({ title }) => title)), `Published value: ${source.authors}, ${source.title} (${source.kind})`];
  const linked = value('published', shown, page, lines, { type: 'superscript', children: [text(MARK)] });
  // On paper MyST puts a citation in the place of whatever links to a DOI, and the value would be lost.
  const [unlinked] = linked.children ?? [];
  return isPrinted() && DOI.test(page) && unlinked !== undefined ? unlinked : linked;
}

/**
 * The output of a notebook's cell that a figure shows. It is still an image here, with the label of the cell for its address.
 * @type {(figure: Node) => Node | undefined}
 */
function embedded(figure) {
  return figure.children?.find(({ type, url }) => type === 'image' && url?.startsWith('#'));
}

/**
 * Which data of a layer each labelled cell draws that has the option `layers`.
 * @type {() => Map<string, string>}
 */
function layered() {
  const folder = new URL('notebooks/', PROJECT);
  const texts = exists(folder) ? readdirSync(folder).filter((name) => name.endsWith('.md')).map((name) => readFileSync(new URL(name, folder), 'utf8')) : [];
  const options = [...texts.join('\n').matchAll(/^#\| label: (\S+)\n#\| layers: (\w+)$/gm)];
  return new Map(options.map(([, label = '', data = '']) => [label, data]));
}

/** @type {(label: string) => Node} */
function layerName(label) {
  return { type: 'div', class: 'layer', children: [{ type: 'paragraph', children: [text(label)] }] };
}

/** @type {(drawn: Node, label: string, there: Layer[]) => Node} */
function tabs(drawn, label, there) {
  const items = there.map((layer, at) => ({
    type: 'tabItem', title: layer.label ?? layer.name, sync: layer.name, ...(at === 0 ? { selected: true } : {}),
    children: [at === 0 ? drawn : { type: 'image', url: `#${label}-simulated`, alt: drawn.alt }],
  }));
  return { type: 'tabSet', class: 'layers', children: items };
}

/** Whether MyST writes a document to print, instead of pages to be read on a screen. */
function isPrinted() {
  return process.argv.some((argument) => PRINTED.test(argument));
}

/**
 * A value as a link to where it comes from, with lines about it that the reader gets by pointing at it.
 * @type {(kind: string, shown: string, url: string, lines: string[], ...marks: Node[]) => Node}
 */
function value(kind, shown, url, lines, ...marks) {
  const abbreviation = { type: 'abbreviation', title: lines.join('\n'), children: [text(shown), ...marks] };
  return { type: 'link', class: `value value-${kind}`, url, children: [abbreviation] };
}

/** @type {(of: string) => Node} */
function index(of) {
  if (of === 'numbers') {
    const rows = Object.entries(read('numbers.json'))
      .map(([key, { title, notebook }]) => [[computed(key)], [text(title)], [code_(key)], [notebookLink(notebook)]]);
    return table(['Value', 'What', 'Key', 'Notebook'], rows, true);
  }
  if (of === 'published') {
    const rows = Object.entries(read('published.json'))
      .map(([key, { title, shown, source }]) => [[text(shown)], [text(title)], [code_(key)], [sourceLink(source)]]);
    return table(['Value', 'What', 'Key', 'Source'], rows, true);
  }
  if (of === 'notebooks') {
    const rows = provenance().map(({ notebook, figures, seconds, command }) => [
      [notebookLink(notebook)], shownIn(figures), [text(time(seconds))], [code_(command)],
    ]);
    return table(['Notebook', 'Figures and tables', 'Time', 'Command'], rows);
  }
  throw new Error(`index-of ${of}: there is none; write numbers, published or notebooks`);
}

/**
 * References to the figures and tables of chapters that embed a notebook's. What none embeds is in a view's place in print.
 * @type {(labels: string[]) => Node[]}
 */
function shownIn(labels) {
  const folder = new URL('chapters/', PROJECT);
  const chapters = readdirSync(folder).filter((name) => name.endsWith('.md')).map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const embedded = [...chapters.join('\n').matchAll(/\{figure\} #(\S+)\n(?::.*\n)*?:(?:label|name): (\S+)/g)];
  /** @type {Node[]} */
  const nodes = labels.flatMap((label) => {
    const figures = embedded.filter(([, from]) => from === label);
    return figures.map(([, , name = '']) => ({ type: 'crossReference', identifier: name.toLowerCase(), label: name }));
  });
  if (nodes.length === 0) return [text(labels.length > 0 ? 'for print' : 'numbers alone')];
  return nodes.flatMap((node, at) => (at === 0 ? [node] : [text(', '), node]));
}

/** @type {(header: string[], rows: Node[][][], numbersFirst?: boolean) => Node} */
function table(header, rows, numbersFirst = false) {
  /** @type {(cells: Node[][], isHeader: boolean) => Node} */
  const row = (cells, isHeader) => ({
    type: 'tableRow',
    children: cells.map((children, at) => ({
      type: 'tableCell',
      ...(isHeader ? { header: true } : {}),
      ...(numbersFirst && at === 0 ? { align: 'right' } : {}),
      children,
    })),
  });
  return { type: 'table', class: 'index', children: [row(header.map((title) => [text(title)]), true), ...rows.map((cells) => row(cells, false))] };
}

/** @type {(notebook: string) => Node} */
function notebookLink(notebook) {
  if (isPrinted()) return text(titleOf(notebook));
  return { type: 'link', url: `/build/book/notebooks/${notebook}.ipynb`, children: [text(titleOf(notebook))] };
}

/** @type {(source: Source) => Node} */
function sourceLink({ authors, title, address }) {
  return { type: 'link', url: address, children: [text(`${authors}, ${title}`)] };
}

/** @type {(seconds: number) => string} */
function time(seconds) {
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}\u00a0s`;
}

/**
 * @template Value
 * @param {Record<string, Value>} all
 * @param {string} key
 * @param {string} what
 * @param {string} lacking
 * @returns {Value}
 */
function found(all, key, what, lacking) {
  const known = Object.hasOwn(all, key) ? all[key] : undefined;
  if (known !== undefined) return known;
  const near = Object.keys(all).filter((other) => other.split('.')[0] === key.split('.')[0]);
  throw new Error(`${what} ${key}, ${lacking}${near.length > 0 ? `; there are ${near.join(', ')}` : ''}`);
}

/**
 * What made a figure: its widget's data, or the notebook that it is embedded from.
 * @type {(figure: Node, records: NotebookRecord[], selectors: Selectors) => Row[] | undefined}
 */
function madeBy(figure, records, { select, selectAll }) {
  const label = embedded(figure)?.url?.slice(1);
  const record = label === undefined ? undefined : records.find(({ figures }) => figures.includes(label));
  if (record !== undefined) return notebookMaking(record, true);
  // A figure of figures has it once.
  const inner = selectAll('container', figure).some((child) => child !== figure);
  const widget = inner ? null : select('anywidget', figure);
  if (widget === null) return undefined;
  const { data } = widget.model ?? {};
  const path = typeof data === 'string' ? `figures/${data}` : '';
  const drawing = records.find(({ drawn }) => drawn.includes(path));
  return drawing === undefined ? widgetMaking(widget) : drawnMaking(drawing, path);
}

/**
 * How what a view shows was drawn: of a notebook that draws many figures, its page has the rest.
 * @type {(record: NotebookRecord, path: string) => Row[]}
 */
function drawnMaking(record, path) {
  const terms = new Set(['Notebook', 'Made', 'Make it again']);
  const made = notebookMaking(record, true).filter(([term]) => terms.has(term));
  return exists(new URL(path, BOOK)) ? [['Data', files([{ path, sha256: hashed(new URL(path, BOOK)) }])], ...made] : made;
}

/** @type {(record: NotebookRecord, linked: boolean) => Row[]} */
function notebookMaking(record, linked) {
  const { notebook, inputs, code, version, commit, parameters, seed, environment, machine, made, seconds, command } = record;
  // The edition's note is on every page.
  const settings = Object.entries({ ...parameters, ...(seed === null ? {} : { seed }) }).filter(([name]) => name !== 'note');
  return rowsOf([
    linked && ['Notebook', [notebookLink(notebook)]],
    inputs.length > 0 && ['Data', files(inputs)],
    Object.keys(code).length > 0 && ['Code', [text(`nnbook ${version}${commit ? `, commit ${commit.slice(0, 8)}` : ''}: `), ...called(notebook, Object.keys(code))]],
    settings.length > 0 && ['Settings', listed(settings.map(([name, set]) => `${name} = ${JSON.stringify(set)}`))],
    ['Made', [text(`${day(made)} in ${time(seconds)} on ${machine.processor}, ${machine.system}, Python\u00a0${machine.python}`)]],
    environment !== '' && ['Packages', [code_('requirements.txt'), text(` ${environment.slice(0, 8)}`)]],
    ['Make it again', [code_(command)]],
  ]);
}

/** @type {(widget: Node) => Row[] | undefined} */
function widgetMaking(widget) {
  const { layers: list, ...model } = widget.model ?? {};
  const folders = typeof list === 'string' && exists(new URL('layers.json', BOOK)) ? read('layers.json').layers.map(({ folder }) => folder) : [''];
  const inputs = Object.values(model)
    .filter((name) => typeof name === 'string')
    .filter((name) => /^[\w./-]+\.json$/.test(name))
    .flatMap((name) => folders.map((folder) => `${folder}${name}`))
    .map((path) => (exists(new URL(path, BOOK)) ? path : `site/${path}`))
    .filter((path) => exists(new URL(path, BOOK)))
    .map((path) => ({ path, sha256: hashed(new URL(path, BOOK)) }));
  if (inputs.length === 0) return undefined;
  const { name } = read('edition.json');
  const stages = inputs.map(({ path }) => stageOf(path)).filter((stage) => stage !== undefined);
  const behind = new Set(stages.flatMap(({ code }) => Object.keys(code ?? {}))).size;
  const latest = new Date(Math.max(...inputs.map(({ path }) => statSync(new URL(path, BOOK)).mtimeMs)));
  return rowsOf([
    ['Data', files(inputs)],
    stages.length > 0 && ['Code', [...listed(stages.map(({ stage }) => stage.replace('nnbook.', ''))), text(behind > 0 ? ` and ${behind} more behind ${stages.length > 1 ? 'them' : 'it'}` : '')]],
    ['View', [code_(`widgets/dist/${lastOf((widget.esm ?? '').split('/'))}`), text(', drawn in your browser')]],
    ['Made', [text(day(latest.toISOString()))]],
    ['Make it again', [code_(`make run EDITION=${name}`)]],
  ]);
}

/**
 * The record of the stage that made a file; an edition without images has none.
 * @type {(path: string) => StageRecord | undefined}
 */
function stageOf(path) {
  // Cells go to the web as a folder, and their record is in it.
  if (path === 'cells/cells.json') return exists(new URL('cells/record.json', BOOK)) ? read('cells/record.json') : undefined;
  const folder = new URL('records/', BOOK);
  const begin = STAGES[path];
  const name = begin !== undefined && exists(folder) ? readdirSync(folder).find((record) => record.startsWith(begin)) : undefined;
  return name === undefined ? undefined : read(`records/${name}`);
}

/** @type {(rows: (Row | false)[]) => Row[]} */
function rowsOf(rows) {
  return rows.filter((row) => row !== false);
}

/** @type {(rows: Row[]) => Node} */
function disclosure(rows) {
  const list = rows.flatMap(([term, description]) => [
    { type: 'definitionTerm', children: [text(term)] },
    { type: 'definitionDescription', children: description },
  ]);
  return {
    type: 'details',
    class: 'made',
    children: [{ type: 'summary', children: [text('How this was made')] }, { type: 'definitionList', children: list }],
  };
}

/**
 * The functions that a notebook itself calls, without those that only read and write, and how many more it depends on.
 * @type {(notebook: string, code: string[]) => Node[]}
 */
function called(notebook, code) {
  const source = new URL(`notebooks/${notebook}.md`, PROJECT);
  const words = exists(source) ? new Set(readFileSync(source, 'utf8').match(/\w+/g)) : new Set();
  const own = code.filter((name) => /\.[a-z]\w*$/.test(name) && !PLUMBING.test(name) && words.has(lastOf(name.split('.'))));
  const others = code.length - own.length;
  return [...listed(own.map((name) => name.replace('nnbook.', ''))), text(own.length === 0 ? `${others} functions` : others === 0 ? '' : ` and ${others} more behind them`)];
}

/**
 * Names one after the other, as many as help.
 * @type {(names: string[]) => Node[]}
 */
function listed(names) {
  const shown = names.slice(0, MOST_NAMES).flatMap((name, at) => (at === 0 ? [code_(name)] : [text(', '), code_(name)]));
  return names.length > MOST_NAMES ? [...shown, text(` and ${names.length - MOST_NAMES} more`)] : shown;
}

/** @type {(inputs: InputFile[]) => Node[]} */
function files(inputs) {
  const shown = inputs.slice(0, MOST_NAMES).flatMap(({ path, sha256 }, at) => [
    ...(at === 0 ? [] : [text(', ')]), code_(path.replace(/^build\/[^/]+\//, '')), text(`\u00a0${sha256.slice(0, 8)}`),
  ]);
  return inputs.length > MOST_NAMES ? [...shown, text(` and ${inputs.length - MOST_NAMES} more`)] : shown;
}

/** @type {(parts: string[]) => string} */
function lastOf(parts) {
  return parts.at(-1) ?? '';
}

/** @type {(value: string) => Node} */
function text(value) {
  return { type: 'text', value };
}

/** @type {(value: string) => Node} */
function code_(value) {
  return { type: 'inlineCode', value };
}

/**
 * 2026-11-21, 14:05 UTC
 * @type {(time: string) => string}
 */
function day(time) {
  const [date = '', clock = ''] = new Date(time).toISOString().split('T');
  return `${date}, ${clock.slice(0, 5)}\u00a0UTC`;
}

/** @type {(notebook: string) => string} */
function titleOf(notebook) {
  return provenance().find((record) => record.notebook === notebook)?.title ?? notebook;
}

/** @type {() => NotebookRecord[]} */
function provenance() {
  const folder = new URL('provenance/', BOOK);
  if (!exists(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.json')).sort().map((name) => read(`provenance/${name}`));
}

/** @type {Map<string, { version: string; made: unknown }>} */
const kept = new Map();

/**
 * Reads a JSON file of the edition that is shown; one that has not changed since is not read again.
 * @template {keyof EditionFiles} Name
 * @param {Name} name
 * @returns {EditionFiles[Name]}
 */
function read(name) {
  const url = new URL(name, BOOK);
  if (!exists(url)) throw new Error(`build/book/${name}: no such file; run make book first`);
  return cached(url, () => {
    /** @type {unknown} */
    const parsed = JSON.parse(readFileSync(url, 'utf8'));
    return /** @type {EditionFiles[Name]} */ (parsed);
  });
}

/** @type {(url: URL) => string} */
function hashed(url) {
  return cached(url, () => createHash('sha256').update(readFileSync(url)).digest('hex'), 'hash');
}

/**
 * @template Made
 * @param {URL} url
 * @param {() => Made} make
 * @returns {Made}
 */
function cached(url, make, form = 'json') {
  const { mtimeMs, size, ino } = statSync(url);
  const name = `${form} ${url.href}`;
  const version = `${mtimeMs} ${size} ${ino}`;
  const earlier = kept.get(name);
  if (earlier?.version === version) return /** @type {Made} */ (earlier.made);
  const made = make();
  kept.set(name, { version, made });
  return made;
}

/** @type {(url: URL) => boolean} */
function exists(url) {
  return statSync(url, { throwIfNoEntry: false }) !== undefined;
}
