/** Copies a link, and shows that in `message`; where pages may not write to the clipboard, the reader can from a field there. */
export async function copyLink(link: string, message: HTMLElement, name: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    message.textContent = 'Link copied.';
  } catch {
    const field = document.createElement('input');
    field.readOnly = true;
    field.value = link;
    field.setAttribute('aria-label', name);
    message.replaceChildren(field);
    field.select();
  }
}
