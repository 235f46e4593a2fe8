/**
 * Keeps `data-theme` of the widget's root at `light` or `dark`: as the page sets it on its root element, by `data-theme`,
 * `data-appearance` or a class, JupyterLab on its body, or else as the reader's system prefers. Calls back when it has
 * changed.
 */
export function followTheme(root: HTMLElement, signal: AbortSignal, changed?: () => void): void {
  const page = document.documentElement;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const update = () => {
    const lab = { true: 'light', false: 'dark' }[document.body.dataset.jpThemeLight ?? ''];
    const named = page.dataset.theme ?? page.dataset.appearance ?? lab;
    const dark =
      named === 'dark' || named === 'light'
        ? named === 'dark'
        : page.classList.contains('dark') || (system.matches && !page.classList.contains('light'));
    const theme = dark ? 'dark' : 'light';
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    changed?.();
  };
  const observer = new MutationObserver(update);
  observer.observe(page, { attributes: true, attributeFilter: ['class', 'data-theme', 'data-appearance'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-light'] });
  signal.addEventListener('abort', () => {
    observer.disconnect();
  });
  system.addEventListener('change', update, { signal });
  update();
}
