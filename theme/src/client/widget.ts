import { nextTask } from '../../../widgets/shared/task';
import { dataOf, explain } from './nearing.js';
import { Model } from './model.js';

interface Description {
  esm?: string;
  css?: string;
  model: Record<string, unknown>;
  // As a notebook saved them: the module and its style as text, and binary values by their place in the model.
  code?: string;
  rules?: string;
  buffers?: { data: string; path: (string | number)[] }[];
}

type Cleanup = (() => unknown) | undefined;
type Step = (context: { model: Model; el?: HTMLElement; signal: AbortSignal; experimental: object }) => unknown;
interface WidgetModule { initialize?: Step; render?: Step }

/** Opens an anywidget in a shadow root, so that neither its styles nor the page's reach into the other. */
export async function openWidget(box: HTMLElement): Promise<void> {
  const host = box.querySelector<HTMLElement>('.widget-host');
  if (host === null) return;
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets.push(filling());
  const controller = new AbortController();
  const cleanups: Cleanup[] = [];
  try {
    const { esm = '', css, model: values, code, rules, buffers = [] } = dataOf(box) as Description;
    buffers.forEach(({ data, path }) => { put(values, path, data); });
    const el = document.createElement('div');
    const [module] = await Promise.all([
      code === undefined ? load(new URL(esm, location.href).href) : loadText(code),
      css === undefined ? undefined : addStyle(root, css),
    ]);
    if (rules !== undefined) root.append(Object.assign(document.createElement('style'), { textContent: rules }));
    el.className = 'widget-place';
    root.append(el);
    // What was loaded has just run, and opening it is as long again.
    await nextTask();
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

/** Hands the height that is kept for a view on to it. */
function filling(): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('.widget-place { min-height: inherit; }');
  return sheet;
}

async function load(address: string): Promise<WidgetModule> {
  const module = (await import(/* @vite-ignore */ address)) as { default?: WidgetModule | (() => Promise<WidgetModule>) } & WidgetModule;
  const widget = module.default ?? module;
  return typeof widget === 'function' ? await widget() : widget;
}

async function loadText(code: string): Promise<WidgetModule> {
  const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  try {
    return await load(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** Puts a binary value, given in base 64, to its place in a model. */
function put(values: Record<string, unknown>, path: (string | number)[], data: string): void {
  const last = path.at(-1);
  const place = path.slice(0, -1).reduce<unknown>((inner, key) => (inner as Record<string | number, unknown>)[key], values);
  if (last !== undefined) (place as Record<string | number, unknown>)[last] = new DataView(Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0)).buffer);
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
