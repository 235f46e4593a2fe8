const WAIT_MS = 250;

/** Shows what a reference leads to (a figure, an equation, a note, a source) beside it, without leaving the text. */
export function previews(): void {
  if (!matchMedia('(hover: hover)').matches) return;
  const card = document.createElement('div');
  card.className = 'preview';
  card.popover = 'manual';
  document.body.append(card);

  let timer = 0;
  let wanted: HTMLAnchorElement | undefined;
  const hide = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      wanted = undefined;
      if (card.matches(':popover-open')) card.hidePopover();
    }, WAIT_MS);
  };
  const show = (link: HTMLAnchorElement) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      wanted = link;
      void targetOf(link).then((target) => {
        if (target === null || wanted !== link) return;
        card.replaceChildren(target);
        card.showPopover();
        place(card, link);
      });
    }, WAIT_MS);
  };

  document.querySelectorAll<HTMLAnchorElement>('a[data-preview]').forEach((link) => {
    link.addEventListener('pointerenter', () => { show(link); });
    link.addEventListener('pointerleave', hide);
    link.addEventListener('click', () => { if (card.matches(':popover-open')) card.hidePopover(); clearTimeout(timer); });
  });
  card.addEventListener('pointerenter', () => { clearTimeout(timer); });
  card.addEventListener('pointerleave', hide);
  addEventListener('keydown', ({ key }) => { if (key === 'Escape' && card.matches(':popover-open')) card.hidePopover(); });
}

const pages = new Map<string, Promise<Document>>();

async function targetOf(link: HTMLAnchorElement): Promise<Element | null> {
  const here = link.pathname === location.pathname;
  let page = here ? Promise.resolve(document) : pages.get(link.pathname);
  if (page === undefined) {
    page = fetch(link.pathname).then(async (response) => new DOMParser().parseFromString(await response.text(), 'text/html'));
    pages.set(link.pathname, page);
  }
  const found = (await page).getElementById(decodeURIComponent(link.hash.slice(1)));
  if (found === null) return null;
  const isHeading = /^H[2-6]$/.test(found.tagName);
  const copy = document.createElement('div');
  copy.append(document.importNode(found, true));
  if (isHeading && found.nextElementSibling !== null) copy.append(document.importNode(found.nextElementSibling, true));
  // A copy must not carry names that are taken, nor parts that only live where they are.
  copy.querySelectorAll('[id]').forEach((element) => { element.removeAttribute('id'); });
  copy.querySelectorAll('.anchor, .footnote-back, .copy, .fold-code, .figure-source, script').forEach((element) => { element.remove(); });
  copy.querySelectorAll('.widget, .output-plotly').forEach((element) => {
    element.replaceWith(stillOf(element) ?? 'An interactive view: follow the link to open it.');
  });
  return copy;
}

/** The image for readers without JavaScript, which the view or its figure has: text in a page that runs scripts, an element in one that was only parsed. */
function stillOf(view: Element): Element | null {
  for (const fallback of [view.querySelector('noscript'), view.closest('figure')?.querySelector(':scope > noscript')]) {
    const still = fallback?.querySelector('img') ?? new DOMParser().parseFromString(fallback?.textContent ?? '', 'text/html').querySelector('img');
    if (still !== null) return still;
  }
  return null;
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
