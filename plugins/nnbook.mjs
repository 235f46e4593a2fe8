// What the book knows of its numbers and figures, in its pages: `{number}` writes a value that a notebook named,
// `{published}` one that published work states, and under each figure stands how it was made. All of it becomes nodes
// that every MyST theme knows. Roles leave only a mark in the tree: values are read when pages are put together, so a
// live preview shows those of a new run.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';

const PROJECT = new URL('../', import.meta.url);
const BOOK = new URL('build/book/', PROJECT);
const SOURCES_PAGE = 'chapters/reproduce.md';
const SOURCES_PART = 'published_values';
const MARK = '†';
const PRINTED = /^--(all|docx|jats|md|meca|pdf|tex|typst|word|xml)$/;
const MOST_NAMES = 8;
const PLUMBING = /^nnbook\.(errors|io\.edition|io\.files|values\.computed|figures\.style\.picture)\b/;
// Which record tells of the stage that made what a view reads.
const STAGES = {
  'pyramids/index.json': 'pyramid-', 'pyramids/panoramas.json': 'measure.', 'cells/cells.json': 'cells.', 'mosaic/mosaic.json': 'mosaic.',
};

const numberRole = {
  name: 'number',
  doc: 'A value that a notebook computed and named, with its unit.',
  body: { type: String, required: true, doc: 'The key of the number.' },
  run: (data) => [{ type: 'namedValue', kind: 'computed', value: data.body, position: data.node.position }],
};

const publishedRole = {
  name: 'published',
  doc: 'A value that published work states, with its unit and a mark.',
  body: { type: String, required: true, doc: 'The key of the value; several are joined by ×.' },
  run: (data) => [{ type: 'namedValue', kind: 'cited', value: data.body, position: data.node.position }],
};

const indexDirective = {
  name: 'index-of',
  doc: 'A table of all numbers, of all published values, or of all notebooks.',
  arg: { type: String, required: true, doc: 'numbers, published or notebooks' },
  run: (data) => [{ type: 'indexOf', value: data.arg, position: data.node.position }],
};

/** Puts values in the place of the marks that roles left. */
const values = {
  name: 'named-values',
  doc: 'Writes the values of {number} and {published}.',
  stage: 'document',
  plugin: (_, utils) => (tree, file) => {
    for (const mark of utils.selectAll('namedValue,indexOf', tree)) {
      try {
        const written = mark.type === 'indexOf' ? index(mark.value) : mark.kind === 'cited' ? cited(mark.value) : computed(mark.value);
        delete mark.value;
        delete mark.kind;
        Object.assign(mark, written);
      } catch (error) {
        // A page that says less than its author meant must not be built.
        file.message(error.message, mark.position).fatal = true;
        Object.assign(mark, { type: 'text', value: mark.value });
      }
    }
  },
};

/** Adds to figures and to notebooks how they were made. */
const making = {
  name: 'how-this-was-made',
  doc: 'Adds under each figure and table how it was made, as the records of the build tell it.',
  stage: 'document',
  plugin: (_, utils) => (tree, file) => {
    if (isPrinted()) return;
    const records = provenance();
    for (const figure of utils.selectAll('container', tree)) {
      const made = madeBy(figure, records, utils);
      if (made !== undefined) figure.children.push(disclosure(made));
    }
    const own = /notebooks\/([^/]+)\.ipynb$/.exec(file.path ?? '');
    const record = own === null ? undefined : records.find(({ notebook }) => notebook === own[1]);
    if (record !== undefined) tree.children.push(disclosure(notebookMaking(record, false)));
  },
};

export default {
  name: 'nnbook',
  roles: [numberRole, publishedRole],
  directives: [indexDirective],
  transforms: [values, making],
};

function computed(key) {
  const number = found(read('numbers.json'), key, 'number', 'which no notebook names');
  // On paper there is no page of a notebook to go to.
  if (isPrinted()) return text(number.shown);
  const { name, simulated } = read('edition.json');
  const title = titleOf(number.notebook);
  const files = number.inputs.length > 0 ? ` from ${number.inputs.join(', ')}` : '';
  return value('number', number.shown, `/build/book/notebooks/${number.notebook}.ipynb`, [
    `${number.title}${number.value === null ? ': this edition has nothing to compute it from' : ''}`,
    `Computed by ${number.source}${files}`,
    `${key.startsWith('published.') ? 'From published data alone, the same in every edition' : `Edition: ${name}${simulated ? ', simulated' : ''}`}`,
    `Notebook: ${title}`,
  ]);
}

function cited(keys) {
  const all = read('published.json');
  const stated = keys.split('×').map((key) => found(all, key.trim(), 'published value', 'which published.yml does not cite'));
  const [{ source }] = stated;
  // 256 × 256 px: of values that are joined, the last has the unit.
  const shown = stated.map((one, at) => (at === stated.length - 1 ? one.shown : one.shown.split('\u00a0')[0])).join('\u00a0×\u00a0');
  const page = exists(new URL(SOURCES_PAGE, PROJECT)) && !isPrinted() ? `/${SOURCES_PAGE}#${SOURCES_PART}` : source.address;
  const lines = [...new Set(stated.map(({ title }) => title)), `Published value: ${source.authors}, ${source.title} (${source.kind})`];
  const node = value('published', shown, page, lines);
  node.children[0].children.push({ type: 'superscript', children: [text(MARK)] });
  return node;
}

/** Whether MyST writes a document to print, instead of pages to be read on a screen. */
function isPrinted() {
  return process.argv.some((argument) => PRINTED.test(argument));
}

/** A value as a link to where it comes from, which is also told where the reader points at it. */
function value(kind, shown, url, lines) {
  return { type: 'link', class: `value value-${kind}`, url, children: [{ type: 'abbreviation', title: lines.join('\n'), children: [text(shown)] }] };
}

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

/** References to the figures and tables of chapters that embed a notebook's; the label where none does. */
function shownIn(labels) {
  const folder = new URL('chapters/', PROJECT);
  const chapters = readdirSync(folder).filter((name) => name.endsWith('.md')).map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const embedded = [...chapters.join('\n').matchAll(/\{figure\} #(\S+)\n(?::.*\n)*?:(?:label|name): (\S+)/g)];
  const nodes = labels.flatMap((label) => {
    const figures = embedded.filter(([, from]) => from === label);
    return figures.length > 0
      ? figures.map(([, , name]) => ({ type: 'crossReference', identifier: name.toLowerCase(), label: name }))
      : [code_(label)];
  });
  return nodes.length > 0 ? nodes.flatMap((node, at) => (at === 0 ? [node] : [text(', '), node])) : [text('–')];
}

function table(header, rows, numbersFirst = false) {
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

function notebookLink(notebook) {
  if (isPrinted()) return text(titleOf(notebook));
  return { type: 'link', url: `/build/book/notebooks/${notebook}.ipynb`, children: [text(titleOf(notebook))] };
}

function sourceLink({ authors, title, address }) {
  return { type: 'link', url: address, children: [text(`${authors}, ${title}`)] };
}

function time(seconds) {
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}\u00a0s`;
}

function found(all, key, what, lacking) {
  if (Object.hasOwn(all, key)) return all[key];
  const near = Object.keys(all).filter((other) => other.split('.')[0] === key.split('.')[0]);
  throw new Error(`${what} ${key}, ${lacking}${near.length > 0 ? `; there are ${near.join(', ')}` : ''}`);
}

/** What made a figure: its widget's data, or the notebook that it is embedded from. */
function madeBy(figure, records, { select, selectAll }) {
  // What is embedded from a notebook is still an image here, with the label of the notebook's cell for its address.
  const label = figure.children?.find(({ type, url }) => type === 'image' && url?.startsWith('#'))?.url.slice(1);
  const record = label === undefined ? undefined : records.find(({ figures }) => figures.includes(label));
  if (record !== undefined) return notebookMaking(record, true);
  // A figure of figures tells it once.
  const inner = selectAll('container', figure).some((child) => child !== figure);
  const widget = inner ? null : select('anywidget', figure);
  return widget === null ? undefined : widgetMaking(widget);
}

function notebookMaking(record, linked) {
  const { notebook, inputs, code, version, commit, parameters, seed, environment, machine, made, seconds, command } = record;
  // The edition's note stands on every page.
  const settings = Object.entries({ ...parameters, ...(seed === null ? {} : { seed }) }).filter(([name]) => name !== 'note');
  return [
    linked && ['Notebook', [notebookLink(notebook)]],
    inputs.length > 0 && ['Data', files(inputs)],
    Object.keys(code).length > 0 && ['Code', [text(`nnbook ${version}${commit ? `, commit ${commit.slice(0, 8)}` : ''}: `), ...called(notebook, Object.keys(code))]],
    settings.length > 0 && ['Settings', listed(settings.map(([name, set]) => `${name} = ${JSON.stringify(set)}`))],
    ['Made', [text(`${day(made)} in ${time(seconds)} on ${machine.processor}, ${machine.system}, Python\u00a0${machine.python}`)]],
    environment && ['Packages', [code_('requirements.txt'), text(` ${environment.slice(0, 8)}`)]],
    ['Make it again', [code_(command)]],
  ].filter(Boolean);
}

function widgetMaking(widget) {
  const inputs = Object.values(widget.model ?? {})
    .filter((name) => typeof name === 'string' && /^[\w./-]+\.json$/.test(name) && exists(new URL(name, BOOK)))
    .map((path) => ({ path, sha256: hashed(new URL(path, BOOK)) }));
  if (inputs.length === 0) return undefined;
  const { name } = read('edition.json');
  const stages = inputs.map(({ path }) => stageOf(path)).filter(({ stage }) => stage !== undefined);
  const behind = new Set(stages.flatMap(({ code }) => Object.keys(code ?? {}))).size;
  const latest = new Date(Math.max(...inputs.map(({ path }) => statSync(new URL(path, BOOK)).mtimeMs)));
  return [
    ['Data', files(inputs)],
    stages.length > 0 && ['Code', [...listed(stages.map(({ stage }) => stage.replace('nnbook.', ''))), text(behind > 0 ? ` and ${behind} more behind ${stages.length > 1 ? 'them' : 'it'}` : '')]],
    ['View', [code_(`widgets/dist/${(widget.esm ?? '').split('/').at(-1)}`), text(', drawn in your browser')]],
    ['Made', [text(day(latest.toISOString()))]],
    ['Make it again', [code_(`make run EDITION=${name}`)]],
  ].filter(Boolean);
}

/** The record of the stage that made a file; an edition without images has none. */
function stageOf(path) {
  const folder = new URL('records/', BOOK);
  const name = exists(folder) ? readdirSync(folder).find((record) => record.startsWith(STAGES[path])) : undefined;
  return name === undefined ? {} : read(`records/${name}`);
}

function disclosure(rows) {
  const list = rows.flatMap(([term, told]) => [
    { type: 'definitionTerm', children: [text(term)] },
    { type: 'definitionDescription', children: told },
  ]);
  return {
    type: 'details',
    class: 'made',
    children: [{ type: 'summary', children: [text('How this was made')] }, { type: 'definitionList', children: list }],
  };
}

/** The functions that a notebook itself calls, without those that only read and write, and how many more it reaches. */
function called(notebook, code) {
  const source = new URL(`notebooks/${notebook}.md`, PROJECT);
  const words = exists(source) ? new Set(readFileSync(source, 'utf8').match(/\w+/g)) : new Set();
  const own = code.filter((name) => /\.[a-z]\w*$/.test(name) && !PLUMBING.test(name) && words.has(name.split('.').at(-1)));
  const others = code.length - own.length;
  return [...listed(own.map((name) => name.replace('nnbook.', ''))), text(own.length === 0 ? `${others} functions` : others === 0 ? '' : ` and ${others} more behind them`)];
}

/** Names one after the other, as many as help. */
function listed(names) {
  const shown = names.slice(0, MOST_NAMES).flatMap((name, at) => (at === 0 ? [code_(name)] : [text(', '), code_(name)]));
  return names.length > MOST_NAMES ? [...shown, text(` and ${names.length - MOST_NAMES} more`)] : shown;
}

function files(inputs) {
  const shown = inputs.slice(0, MOST_NAMES).flatMap(({ path, sha256 }, at) => [
    ...(at === 0 ? [] : [text(', ')]), code_(path.replace(/^build\/[^/]+\//, '')), text(`\u00a0${sha256.slice(0, 8)}`),
  ]);
  return inputs.length > MOST_NAMES ? [...shown, text(` and ${inputs.length - MOST_NAMES} more`)] : shown;
}

function text(value) {
  return { type: 'text', value };
}

function code_(value) {
  return { type: 'inlineCode', value };
}

/** 2026-11-21, 14:05 UTC */
function day(time) {
  const [date, clock] = new Date(time).toISOString().split('T');
  return `${date}, ${clock.slice(0, 5)}\u00a0UTC`;
}

function titleOf(notebook) {
  return provenance().find((record) => record.notebook === notebook)?.title ?? notebook;
}

function provenance() {
  const folder = new URL('provenance/', BOOK);
  if (!exists(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.json')).sort().map((name) => read(`provenance/${name}`));
}

const kept = new Map();

/** Reads a JSON file of the edition that is shown; one that has not changed since is not read again. */
function read(name) {
  const url = new URL(name, BOOK);
  if (!exists(url)) throw new Error(`build/book/${name}: no such file; run make book first`);
  return cached(url, () => JSON.parse(readFileSync(url, 'utf8')));
}

function hashed(url) {
  return cached(url, () => createHash('sha256').update(readFileSync(url)).digest('hex'), 'hash');
}

function cached(url, make, form = 'json') {
  const { mtimeMs, size, ino } = statSync(url);
  const name = `${form} ${url.href}`;
  const version = `${mtimeMs} ${size} ${ino}`;
  if (kept.get(name)?.version !== version) kept.set(name, { version, made: make() });
  return kept.get(name).made;
}

function exists(url) {
  return statSync(url, { throwIfNoEntry: false }) !== undefined;
}
