/**
 * Keeps `data-theme` of the widget's root at `light` or `dark`: as the page says on its root element, by `data-theme`
 * or by a class, or else as the reader's system prefers.
 */
export function followTheme(root: HTMLElement, signal: AbortSignal): void {
  const page = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const update = () => {
    const said = page.dataset.theme;
    const dark =
      said === 'dark' || said === 'light'
        ? said === 'dark'
        : page.classList.contains('dark') || (system.matches && !page.classList.contains('light'));
    root.dataset.theme = dark ? 'dark' : 'light';
  };
  const observer = new MutationObserver(update);
  observer.observe(page, { attributes: true, attributeFilter: ['class', 'data-theme'] });
  signal.addEventListener('abort', () => {
    observer.disconnect();
  });
  system.addEventListener('change', update, { signal });
  update();
}
