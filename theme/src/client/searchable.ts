import { settle, withParameters } from '../../../widgets/shared/address';
import { columnsOf, csvOf, parametersOf, rowsShown, selectionIn, type Column, type Selection } from './rows.js';

/** Quick changes are written and announced once, by what has come of them. */
const REST_MS = 250;
const SVG = 'http://www.w3.org/2000/svg';

/**
 * Fills the tools of a table, whose room the page keeps free: a search, choices, a count, and a way to save the rows shown;
 * and makes the heads of its columns buttons that sort. The page's address says what is selected.
 */
export function openTable(tools: HTMLElement): Promise<void> {
  const figure = tools.closest('figure');
  const table = figure?.querySelector('table');
  const heads = [...(table?.tHead?.rows[0]?.cells ?? [])];
  const body = table?.tBodies[0];
  if (figure == null || table == null || body === undefined || heads.length === 0) {
    tools.remove();
    return Promise.resolve();
  }
  const rows = [...body.rows];
  const texts = rows.map(({ cells }) => [...cells].map(({ textContent }) => textContent.trim()));
  const locale = document.documentElement.lang || undefined;
  const titles = heads.map(({ textContent }) => textContent.trim());
  const columns = columnsOf(titles, texts, locale);
  const name = figure.id;
  let selection = selectionIn(location.search, name, columns);
  let shown: number[] = [];
  let timer = 0;

  const search = document.createElement('input');
  search.type = 'search';
  search.ariaLabel = search.placeholder = `Search ${rows.length} rows`;
  search.autocomplete = 'off';
  search.spellcheck = false;
  search.enterKeyHint = 'search';
  const toggle = button('', 'table-filter');
  const filters = document.createElement('div');
  filters.className = 'table-filters';
  filters.id = `${name}-filters`;
  toggle.setAttribute('aria-controls', filters.id);
  toggle.setAttribute('aria-expanded', 'false');
  const selects = columns.filter(({ choices }) => choices.length > 0).map((column) => ({ key: column.key, select: choiceOf(column) }));
  filters.append(...selects.map(({ key, select }) => labelled(columns.find((column) => column.key === key)?.title ?? key, select)));
  const count = document.createElement('p');
  count.setAttribute('role', 'status');
  const all = button('Show all', 'table-all');
  const save = button('Export CSV', 'table-save');
  const none = body.insertRow();
  none.insertCell().colSpan = heads.length;
  none.className = 'table-none';
  none.cells[0]?.append('No row has all of this.');

  const sorts = heads.map((head) => {
    const sort = button('', '');
    // What the head holds stays as it is written.
    sort.append(...head.childNodes, arrow());
    head.replaceChildren(sort);
    return sort;
  });

  const say = () => {
    const { sort } = selection;
    const order = sort && `, sorted by ${titles[columns.findIndex(({ key }) => key === sort.key)] ?? ''}, ${sort.descending ? 'descending' : 'ascending'}`;
    const spoken = document.createElement('span');
    spoken.className = 'visually-hidden';
    spoken.textContent = order ?? '';
    const number = document.createElement('b');
    number.textContent = String(shown.length);
    count.replaceChildren(number, shown.length === rows.length ? ' rows' : ` of ${rows.length} rows`, spoken);
  };
  const show = () => {
    shown = rowsShown(columns, texts, selection, locale);
    // Columns keep the width that all rows give them.
    if (shown.length === rows.length) heads.forEach(({ style }) => { style.minWidth = ''; });
    else if (rows.every(({ hidden }) => !hidden)) heads.forEach((head) => { head.style.minWidth = `${head.offsetWidth}px`; });
    const visible = new Set(shown);
    rows.forEach((row, at) => { row.hidden = !visible.has(at); });
    // Those that are hidden have their places, too: paper shows all.
    body.append(...rowsShown(columns, texts, { ...selection, find: '', chosen: {} }, locale).flatMap((at) => rows[at] ?? []), none);
    none.hidden = shown.length > 0;
    if (search.value.trim() !== selection.find.trim()) search.value = selection.find;
    selects.forEach(({ key, select }) => {
      select.value = selection.chosen[key] ?? '';
      select.classList.toggle('chosen', select.value !== '');
    });
    heads.forEach((head, at) => {
      const { sort } = selection;
      const sorted = sort !== undefined && sort.key === columns[at]?.key;
      head.ariaSort = sorted ? (sort.descending ? 'descending' : 'ascending') : 'none';
    });
    const chosen = Object.keys(selection.chosen).length;
    toggle.textContent = chosen > 0 ? `Filter (${chosen})` : 'Filter';
    all.hidden = chosen === 0 && selection.find.trim() === '';
  };
  const select = (change: Partial<Selection>, push: boolean) => {
    clearTimeout(timer);
    selection = { ...selection, ...change };
    show();
    const finish = () => {
      say();
      write(parametersOf(selection, name, columns), push);
    };
    if (push) finish();
    else timer = window.setTimeout(finish, REST_MS);
  };

  search.addEventListener('input', () => { select({ find: search.value }, false); });
  selects.forEach(({ key, select: choice }) => {
    choice.addEventListener('change', () => {
      const chosen = Object.fromEntries(Object.entries(selection.chosen).filter(([other]) => other !== key));
      select({ chosen: choice.value === '' ? chosen : { ...chosen, [key]: choice.value } }, true);
    });
  });
  sorts.forEach((sort, at) => {
    const key = columns[at]?.key ?? '';
    // Up, down, and back to the order of the page.
    sort.addEventListener('click', () => {
      const { sort: now } = selection;
      select({ sort: now?.key !== key ? { key, descending: false } : now.descending ? undefined : { key, descending: true } }, true);
    });
  });
  toggle.addEventListener('click', () => { toggle.ariaExpanded = String(toggle.ariaExpanded !== 'true'); });
  all.addEventListener('click', () => {
    search.value = '';
    select({ find: '', chosen: {} }, true);
    // The button is gone, and the keyboard must not be lost with it.
    search.focus();
  });
  save.addEventListener('click', () => { void wholeOf(figure).then((whole) => { download(csvOf(shown, titles, texts, whole), `${name}.csv`); }); });
  addEventListener('popstate', () => {
    clearTimeout(timer);
    selection = selectionIn(location.search, name, columns);
    show();
    say();
  });

  const title = figure.querySelector('.caption-number')?.textContent.trim() ?? 'table';
  tools.setAttribute('role', 'group');
  tools.ariaLabel = `Rows of ${title}`;
  const state = document.createElement('div');
  state.className = 'table-state';
  state.append(count, all, save);
  tools.append(search, ...(selects.length > 0 ? [toggle, filters] : []), state);
  tools.style.setProperty('--choices', String(selects.length));
  show();
  say();
  return Promise.resolve();
}

function button(text: string, className: string): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = className;
  made.textContent = text;
  return made;
}

function labelled(text: string, field: HTMLElement): HTMLLabelElement {
  const label = document.createElement('label');
  const title = document.createElement('span');
  title.textContent = text;
  label.append(title, field);
  return label;
}

function choiceOf({ choices }: Column): HTMLSelectElement {
  const select = document.createElement('select');
  select.append(new Option('All', ''), ...choices.map((choice) => new Option(choice)));
  return select;
}

/** Two triangles, of which the style fills the one that sorts. */
function arrow(): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 8 12');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(...['M4 0 8 5H0Z', 'M4 12 8 7H0Z'].map((d) => {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    return path;
  }));
  return svg;
}

function write(parameters: [string, string | null][], push: boolean): void {
  // The views of the page write first what they have not written yet: it belongs to the step that is left behind.
  if (push) settle();
  const search = withParameters(location.search, parameters);
  if (search === location.search) return;
  const address = `${location.pathname}${search}${location.hash}`;
  try {
    if (push) history.pushState(history.state, '', address);
    else history.replaceState(history.state, '', address);
  } catch {
    // A frame without an address of its own: the table is as it was chosen all the same.
  }
}

/** The table with all its columns, where the caption links to it. */
async function wholeOf(figure: HTMLElement): Promise<string | undefined> {
  const link = [...figure.querySelectorAll<HTMLAnchorElement>('figcaption a[download]')].find(({ pathname }) => pathname.endsWith('.csv'));
  if (link === undefined) return undefined;
  const response = await fetch(link.href).catch(() => undefined);
  return response?.ok === true ? response.text() : undefined;
}

function download(text: string, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name;
  link.click();
  setTimeout(() => { URL.revokeObjectURL(link.href); }, 1000);
}
