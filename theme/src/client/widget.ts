import { dataOf, explain } from './nearing.js';
import { Model } from './model.js';

interface Description { esm: string; css?: string; model: Record<string, unknown> }

type Cleanup = (() => unknown) | undefined;
type Step = (context: { model: Model; el?: HTMLElement; signal: AbortSignal; experimental: object }) => unknown;
interface WidgetModule { initialize?: Step; render?: Step }

/** Opens an anywidget in a shadow root, so that neither its styles nor the page's reach into the other. */
export async function openWidget(box: HTMLElement): Promise<void> {
  const host = box.querySelector<HTMLElement>('.widget-host');
  if (host === null) return;
  const root = host.attachShadow({ mode: 'open' });
  const controller = new AbortController();
  const cleanups: Cleanup[] = [];
  try {
    const { esm, css, model: values } = dataOf(box) as Description;
    const el = document.createElement('div');
    const [module] = await Promise.all([load(new URL(esm, location.href).href), css === undefined ? undefined : addStyle(root, css)]);
    root.append(el);
    const context = { model: new Model(values), signal: controller.signal, experimental: {} };
    cleanups.push((await module.initialize?.(context)) as Cleanup);
    cleanups.push((await module.render?.({ ...context, el })) as Cleanup);
    box.dataset.widget = 'open';
  } catch (error) {
    console.error(error);
    box.dataset.widget = 'failed';
    explain(root, 'This view could not be opened', error);
  }
  addEventListener('pagehide', ({ persisted }) => {
    // A page that the browser keeps for the way back comes back with its widgets alive.
    if (persisted) return;
    controller.abort();
    cleanups.reverse().forEach((cleanup) => { if (typeof cleanup === 'function') cleanup(); });
  });
}

async function load(address: string): Promise<WidgetModule> {
  const module = (await import(/* @vite-ignore */ address)) as { default?: WidgetModule | (() => Promise<WidgetModule>) } & WidgetModule;
  const widget = module.default ?? module;
  return typeof widget === 'function' ? await widget() : widget;
}

/** Waits for the style, so that the widget measures itself in its final look; one that is missing stops nothing. */
function addStyle(root: ShadowRoot, address: string): Promise<void> {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = address;
  return new Promise((resolve) => {
    link.addEventListener('load', () => { resolve(); });
    link.addEventListener('error', () => { resolve(); });
    root.append(link);
  });
}
