/** Marks, in the outline, the last section whose heading has passed the upper third of the window. */
export function followOutline(): void {
  const links = new Map<Element, HTMLAnchorElement>();
  document.querySelectorAll<HTMLAnchorElement>('.outline a').forEach((link) => {
    const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (heading !== null) links.set(heading, link);
  });
  // On narrow screens a chosen section is behind the drawer, which closes by itself only for clicks outside of it.
  document.querySelectorAll<HTMLAnchorElement>('#contents a').forEach((link) => {
    link.addEventListener('click', () => {
      const drawer = document.getElementById('contents');
      if (drawer?.matches(':popover-open') === true) drawer.hidePopover();
    });
  });
  if (links.size === 0) return;

  let marked: HTMLAnchorElement | undefined;
  let asked = false;
  const mark = () => {
    asked = false;
    const line = innerHeight / 3;
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const passed = [...links.keys()].filter((heading) => atEnd || heading.getBoundingClientRect().top < line);
    const last = passed.at(-1);
    const link = last === undefined ? undefined : links.get(last);
    if (link === marked) return;
    marked?.removeAttribute('aria-current');
    link?.setAttribute('aria-current', 'true');
    if (link !== undefined) keepInView(link);
    marked = link;
  };
  const ask = () => {
    if (!asked) requestAnimationFrame(mark);
    asked = true;
  };
  addEventListener('scroll', ask, { passive: true });
  addEventListener('resize', ask, { passive: true });
  mark();
}

/** Scrolls the side column alone: `scrollIntoView` would take the page along. */
function keepInView(link: HTMLElement): void {
  const column = document.getElementById('contents');
  if (column === null) return;
  const [box, own] = [column.getBoundingClientRect(), link.getBoundingClientRect()];
  if (own.top < box.top + 80) column.scrollTop -= box.top + 80 - own.top;
  else if (own.bottom > box.bottom - 80) column.scrollTop += own.bottom - box.bottom + 80;
}
