/** Copies a link, and says so in `told`; where pages may not write to the clipboard, the reader can from a field there. */
export async function copyLink(link: string, told: HTMLElement, name: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    told.textContent = 'Link copied.';
  } catch {
    const field = document.createElement('input');
    field.readOnly = true;
    field.value = link;
    field.setAttribute('aria-label', name);
    told.replaceChildren(field);
    field.select();
  }
}
