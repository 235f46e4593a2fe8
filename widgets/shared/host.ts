import { kernelAddress } from './files';
import { textTrait, type Model } from './model';
import { Problem } from './problem';

/**
 * The address of a data file, which a trait of the model holds; `kernel:` is the model's kernel.
 *
 * A relative one is relative to this module, or to the page where the module has no address of its own.
 */
export function dataAddress(model: Model, trait: string, signal: AbortSignal): string {
  const address = textTrait(model, trait);
  if (address?.startsWith('kernel:')) return new URL(address.slice('kernel:'.length), kernelAddress(model, signal)).href;
  const base = import.meta.url.startsWith('http') ? import.meta.url : document.baseURI;
  if (address === null || !URL.canParse(address, base)) {
    throw new Problem('This view has no address to load its data from; name one when you make it.');
  }
  return new URL(address, base).href;
}

/** Waits until an element has a size: a host may attach it late, or keep it in a closed tab. */
export function laidOut(element: HTMLElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === 0) return;
      observer.disconnect();
      resolve();
    });
    observer.observe(element);
    signal.addEventListener('abort', () => {
      observer.disconnect();
      resolve();
    });
  });
}

/** Keeps plain keys from a live host: in JupyterLab a letter alone adds or deletes cells. */
export function keepKeys(root: HTMLElement): void {
  root.addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}
