import { aboutOf, holdTitles } from './about.js';

const WAIT_MS = 250;

/**
 * Shows what a reference leads to (a figure, an equation, a note, a source, a page) beside it, without leaving the
 * text: while the pointer rests on it or the keyboard has come to it; on a touch screen by a first tap, and a second
 * one follows it.
 */
export function previews(): void {
  const card = document.createElement('div');
  card.className = 'preview';
  card.popover = 'manual';
  card.tabIndex = -1;
  document.body.append(card);

  holdTitles();
  let timer = 0;
  let wanted: HTMLElement | undefined;
  const isOpen = () => card.matches(':popover-open');
  const close = () => {
    clearTimeout(timer);
    wanted = undefined;
    if (isOpen()) card.hidePopover();
  };
  const hide = () => {
    clearTimeout(timer);
    timer = window.setTimeout(close, WAIT_MS);
  };
  const show = async (link: HTMLElement) => {
    wanted = link;
    const target = await targetOf(link);
    if (wanted !== link) return false;
    if (target === null) {
      close();
      return false;
    }
    card.replaceChildren(target);
    // Tab goes on in the text: at the page's end it would lead into a card that is about to close.
    card.querySelectorAll('a').forEach((inside) => { inside.tabIndex = -1; });
    card.showPopover();
    place(card, link);
    return true;
  };
  const showSoon = (link: HTMLElement) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => { void show(link); }, WAIT_MS);
  };

  document.querySelectorAll<HTMLElement>('a[data-preview], .page abbr[title]:not(a *)').forEach((link) => {
    let touched = false;
    link.addEventListener('pointerenter', ({ pointerType }) => { if (pointerType === 'mouse' && link.tagName === 'A') showSoon(link); });
    link.addEventListener('pointerleave', ({ pointerType }) => { if (pointerType === 'mouse') hide(); });
    link.addEventListener('focus', () => { if (link.matches(':focus-visible')) showSoon(link); });
    link.addEventListener('blur', hide);
    link.addEventListener('pointerdown', ({ pointerType }) => { touched = pointerType !== 'mouse'; });
    link.addEventListener('click', (event) => {
      clearTimeout(timer);
      if (!touched || (isOpen() && wanted === link)) {
        close();
        return;
      }
      event.preventDefault();
      void show(link).then((shown) => { if (!shown && link instanceof HTMLAnchorElement) location.assign(link.href); });
    });
  });
  card.addEventListener('pointerenter', () => { clearTimeout(timer); });
  card.addEventListener('pointerleave', ({ pointerType }) => { if (pointerType === 'mouse') hide(); });
  addEventListener('pointerdown', ({ target }) => {
    if (isOpen() && target instanceof Node && !card.contains(target) && wanted?.contains(target) !== true) close();
  });
  addEventListener('keydown', ({ key }) => { if (key === 'Escape') close(); });
}

const pages = new Map<string, Promise<Document>>();

async function targetOf(link: HTMLElement): Promise<Element | null> {
  const about = aboutOf(link);
  if (about !== undefined) return about;
  const copy = document.createElement('div');
  if (!(link instanceof HTMLAnchorElement)) {
    copy.textContent = link.title;
    return copy;
  }
  const here = link.pathname === location.pathname;
  let page = here ? Promise.resolve(document) : pages.get(link.pathname);
  if (page === undefined) {
    page = fetch(link.pathname).then(async (response) => new DOMParser().parseFromString(await response.text(), 'text/html'));
    pages.set(link.pathname, page);
  }
  if (link.hash === '') return here ? null : startOf(await page);
  const found = (await page).getElementById(decodeURIComponent(link.hash.slice(1)));
  if (found === null) return null;
  copy.append(document.importNode(found, true));
  // A heading or a term says little without what follows it.
  if (/^(?:H[2-6]|DT)$/.test(found.tagName) && found.nextElementSibling !== null) copy.append(document.importNode(found.nextElementSibling, true));
  // A copy must not carry names that are taken, nor parts that only work where they are.
  copy.querySelectorAll('[id]').forEach((element) => { element.removeAttribute('id'); });
  copy.querySelectorAll('[tabindex], [role="button"]').forEach((element) => {
    element.removeAttribute('tabindex');
    element.removeAttribute('role');
  });
  copy.querySelectorAll('.anchor, .footnote-back, .copy, .fold-code, .figure-source, .made, .panels > input, .table-tools, .table-none, th svg, script').forEach((element) => { element.remove(); });
  copy.querySelectorAll('th > button').forEach((element) => { element.replaceWith(...element.childNodes); });
  copy.querySelectorAll('tr[hidden]').forEach((element) => { element.removeAttribute('hidden'); });
  copy.querySelectorAll<HTMLElement>('[data-compare]').forEach((element) => { delete element.dataset.compare; });
  copy.querySelectorAll('.widget, .output-plotly').forEach((element) => {
    element.replaceWith(stillOf(element) ?? 'An interactive view: follow the link to open it.');
  });
  copy.querySelectorAll('.stand-in').forEach((element) => { element.remove(); });
  return copy;
}

/** What a page is about. */
function startOf(page: Document): Element | null {
  const title = page.querySelector('h1')?.textContent;
  if (title === undefined) return null;
  const copy = document.createElement('div');
  const heading = document.createElement('h3');
  heading.textContent = title;
  const about = document.createElement('p');
  about.textContent = page.querySelector<HTMLMetaElement>('meta[name="description"]')?.content ?? '';
  copy.append(heading, about);
  return copy;
}

/** The still picture that the view has, or its figure. */
function stillOf(view: Element): Element | null {
  return view.querySelector(':scope > .stand-in img') ?? view.closest('figure')?.querySelector(':scope > .stand-in img') ?? null;
}

function place(card: HTMLElement, link: HTMLElement): void {
  const [first] = link.getClientRects();
  if (first === undefined) return;
  const margin = 12;
  const left = Math.min(Math.max(first.left - 24, margin), innerWidth - card.offsetWidth - margin);
  const below = first.bottom + margin;
  const above = first.top - margin - card.offsetHeight;
  card.style.left = `${left}px`;
  card.style.top = `${below + card.offsetHeight < innerHeight || above < margin ? below : above}px`;
}
