import { textButton, textElement } from '../shared/elements';
import { isKept, kept } from './kept';
import type { Parts } from './protocol';

/**
 * Offers to keep the page for use without a network. Null where it can't be: a site without a service worker for it, a page
 * in a notebook, or one that came without encryption.
 */
export function offline(parts: Parts, bytes: number): HTMLElement | null {
  const link = document.head.querySelector<HTMLLinkElement>('link[rel="manifest"][data-offline]');
  if (!link || !('serviceWorker' in navigator)) return null;
  const registered = register(new URL(link.dataset.offline ?? '', link.href));
  const element = textElement('p', '', 'nn-label nn-offline');
  element.setAttribute('role', 'status');
  const keep = async () => {
    element.textContent = 'Loading …';
    try {
      await registered;
      await Promise.all([kept(parts.runtime, 'What runs the model'), kept(parts.model, 'The model', parts.modelSha256)]);
    } catch (error) {
      element.textContent = error instanceof Error ? error.message : '';
    }
    await show();
  };
  const button = textButton(`Keep this page for use offline (${(bytes / 1e6).toFixed(0)} MB)`, () => void keep());
  const show = async () => {
    const all = await Promise.all([parts.runtime, parts.model].map(isKept));
    if (all.every(Boolean)) element.textContent = 'This page is kept by your browser: it opens without a network, too.';
    else if (element.textContent === '' || element.textContent === 'Loading …') element.replaceChildren(button);
  };
  registered.then(show).catch(() => undefined); // a browser that keeps nothing loads the page as ever
  return element;
}

async function register(script: URL): Promise<void> {
  // Whatever the browser has of this script, it asks the site for it.
  await navigator.serviceWorker.register(script, { updateViaCache: 'none' });
  await navigator.serviceWorker.ready;
}
