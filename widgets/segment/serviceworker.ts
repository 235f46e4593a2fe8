/*
 * The service worker of the page that segments, which makes it open without a network. It answers for that page and its
 * files alone, and asks the network first: what it keeps is for where there is none.
 */

/** What the site's build puts before this script. */
interface Shell {
  /** Changes with the contents of the page and of each of its files. */
  state: string;
  /** Files by their address relative to the page, each with its digest. */
  files: Record<string, string>;
}

interface Scope {
  SHELL: Shell;
  registration: { scope: string };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(name: 'install' | 'activate', listener: (event: { waitUntil(work: Promise<unknown>): void }) => void): void;
  addEventListener(name: 'fetch', listener: (event: { request: Request; respondWith(answer: Promise<Response>): void }) => void): void;
}

const worker = self as unknown as Scope;
const page = worker.registration.scope;
const { state, files } = worker.SHELL;
const addresses = new Set(Object.keys(files).map((file) => new URL(file, page).href));
/** Books on one host share a store. */
const ours = `nnbook ${page} `;

worker.addEventListener('install', (event) => {
  event.waitUntil(keep());
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(replaceFormer());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = addressOf(request);
  if (request.method === 'GET' && address !== null) event.respondWith(networkFirst(request, address));
});

/** Keeps the page and its files as a whole, or nothing: a file of another state has another digest. */
async function keep(): Promise<void> {
  const cache = await caches.open(ours + state);
  await cache.addAll([
    new Request(page, { cache: 'reload' }),
    ...Object.entries(files).map(([file, integrity]) => new Request(new URL(file, page), { cache: 'no-cache', integrity })),
  ]);
  await worker.skipWaiting();
}

async function replaceFormer(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(ours) && name !== ours + state) await caches.delete(name);
  await worker.clients.claim();
}

/** What is kept under the address of a request; null where it is not the page's. */
function addressOf({ mode, url }: Request): string | null {
  const { origin, pathname } = new URL(url);
  const address = origin + pathname;
  if (mode === 'navigate') return address === page || address === `${page}index.html` ? page : null;
  return addresses.has(address) ? address : null;
}

async function networkFirst(request: Request, address: string): Promise<Response> {
  try {
    // What the browser has of it counts as old until the site says otherwise.
    return await fetch(request, { cache: 'no-cache' });
  } catch (error) {
    const cache = await caches.open(ours + state);
    const found = await cache.match(address);
    if (found) return found;
    throw error;
  }
}

export {};
