import { excerpt, finder, passages, type Finder, type Passage, type SearchRecord } from './passages.js';

const SHOWN = 20;

/** Fetches the index and answers what is typed; arrow keys choose, Enter follows. */
export async function searchIn(dialog: HTMLDialogElement): Promise<void> {
  const input = dialog.querySelector('input');
  const list = dialog.querySelector<HTMLElement>('.search-results');
  const status = dialog.querySelector<HTMLElement>('.search-status');
  if (input === null || list === null || status === null) return;
  const base = dialog.dataset.base ?? '';

  let find: Finder;
  try {
    status.textContent = 'Loading';
    const response = await fetch(`${base}/myst.search.json`);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const { records } = (await response.json()) as { records: SearchRecord[] };
    find = finder(passages(records));
    status.textContent = '';
  } catch (error) {
    console.error(error);
    status.textContent = 'The index of this book could not be loaded: there is nothing to search in.';
    return;
  }

  const options = () => [...list.querySelectorAll<HTMLAnchorElement>('[role="option"]')];
  const choose = (at: number) => {
    const all = options();
    all.forEach((option, place) => { option.setAttribute('aria-selected', String(place === at)); });
    const chosen = all[at];
    if (chosen === undefined) input.removeAttribute('aria-activedescendant');
    else {
      input.setAttribute('aria-activedescendant', chosen.id);
      chosen.scrollIntoView({ block: 'nearest' });
    }
  };
  const show = () => {
    const query = input.value.trim();
    const found = query === '' ? [] : find(query).slice(0, SHOWN);
    list.replaceChildren(...found.map((passage, at) => result(passage, query, at, base)));
    input.setAttribute('aria-expanded', String(found.length > 0));
    status.textContent = query === '' ? '' : found.length === 0 ? `Nothing in this book is about “${query}”.` : `${found.length === SHOWN ? `The best ${SHOWN}` : found.length} ${found.length === 1 ? 'place' : 'places'}`;
    choose(found.length > 0 ? 0 : -1);
  };
  input.addEventListener('input', show);
  input.addEventListener('keydown', (event) => {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute('aria-selected') === 'true');
    if (event.key === 'ArrowDown') choose((at + 1) % all.length);
    else if (event.key === 'ArrowUp') choose((at - 1 + all.length) % all.length);
    else if (event.key === 'Enter') all[at]?.click();
    // A search field would only be emptied by it.
    else if (event.key === 'Escape') dialog.close();
    else return;
    event.preventDefault();
  });
  // A result on this very page only scrolls: the dialog has to make way.
  list.addEventListener('click', () => { dialog.close(); });
  show();
}

function result({ url, page, section, text }: Passage, query: string, at: number, base: string): HTMLAnchorElement {
  const link = document.createElement('a');
  const [path = '', hash] = url.split('#', 2);
  link.href = `${base}${path.endsWith('/') ? path : `${path}/`}${hash === undefined ? '' : `#${hash}`}`;
  link.id = `search-result-${at}`;
  link.role = 'option';
  link.tabIndex = -1;
  const title = document.createElement('b');
  title.textContent = section === '' ? page : section;
  const where = document.createElement('small');
  where.textContent = section === '' ? '' : page;
  const passage = document.createElement('span');
  passage.append(...excerpt(text, query).map((run) => {
    if (!run.marked) return run.text;
    const mark = document.createElement('mark');
    mark.textContent = run.text;
    return mark;
  }));
  link.append(title, ' ', where, passage);
  return link;
}
