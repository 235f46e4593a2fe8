/** `/` and Ctrl or Cmd with K open the search from anywhere; what it needs is fetched when it is first opened. */
export function bindSearch(): void {
  const dialog = document.querySelector<HTMLDialogElement>('#search');
  if (dialog === null) return;
  let begun = false;
  const open = () => {
    if (dialog.open) return;
    const drawer = document.getElementById('contents');
    if (drawer?.matches(':popover-open') === true) drawer.hidePopover();
    dialog.showModal();
    dialog.querySelector('input')?.select();
    if (begun) return;
    begun = true;
    void import('./search-results.js').then(({ searchIn }) => searchIn(dialog));
  };
  document.querySelectorAll('.search-button').forEach((button) => { button.addEventListener('click', open); });
  addEventListener('keydown', (event) => {
    const { key, ctrlKey, metaKey, altKey } = event;
    const [inner] = event.composedPath();
    const typing = inner instanceof Element && inner.closest('input, textarea, select, [contenteditable]') !== null;
    const asked = ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === 'k') || (key === '/' && !typing && !ctrlKey && !metaKey && !altKey);
    if (!asked) return;
    event.preventDefault();
    open();
  });
  // The dialog's own box is full of its parts: what hits the dialog itself hits the ground around it.
  dialog.addEventListener('click', ({ target }) => { if (target === dialog) dialog.close(); });
}
