/**
 * Follows links to a place on this page without leaving it: what is chosen and selected, which the address holds, is kept.
 * The index of figures names its page in full, since it is the same on every page.
 */
export function keepChoices(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[href]') : null;
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link === null || !plain || event.defaultPrevented || link.target !== '' || link.hash === '') return;
    if (link.origin !== location.origin || link.pathname !== location.pathname) return;
    link.closest<HTMLElement>('[popover]:popover-open')?.hidePopover();
    if (link.search !== '' || location.search === '') return;
    event.preventDefault();
    location.assign(`${location.search}${link.hash}`);
  });
}
