/** Choosing a tab chooses, all over the page, every tab of the same `sync`. */
export function syncTabs(): void {
  const tabs = document.querySelectorAll<HTMLInputElement>('.tab input[data-sync]');
  tabs.forEach((tab) => {
    tab.addEventListener('change', () => {
      tabs.forEach((other) => { if (other.dataset.sync === tab.dataset.sync) other.checked = true; });
    });
  });
}
