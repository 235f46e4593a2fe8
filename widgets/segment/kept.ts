import { FileProblem } from './fileproblem';

/** The browser's store for what is loaded with the first image. */
const CACHE = 'nnbook-segment';

/** A file of the site, which is kept once it has been loaded; its name changes with its contents. */
export async function kept(address: string | Blob, what: string, sha256 = ''): Promise<ArrayBuffer> {
  if (typeof address !== 'string') return address.arrayBuffer();
  const cache = await store();
  const found = await cache?.match(address).catch(() => undefined);
  let bytes = found ? await found.arrayBuffer() : null;
  if (bytes && !(await isWhole(bytes, sha256))) bytes = null;
  if (bytes) return bytes;
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    throw new FileProblem(`${what} could not be loaded: there is no connection to this site. Check it, then try again.`);
  }
  if (!response.ok) throw new FileProblem(`${what} could not be loaded (status ${response.status}); load the page again.`);
  const copy = response.clone();
  bytes = await response.arrayBuffer();
  if (!(await isWhole(bytes, sha256))) throw new FileProblem(`${what} came damaged; try again.`);
  await cache?.put(address, copy).catch(() => undefined); // a full disk only costs loading it again
  if (cache) await dropFormer(cache, address);
  return bytes;
}

/** Whether the browser keeps a file of the site. */
export async function isKept(address: string | Blob): Promise<boolean> {
  return typeof address !== 'string' || (await (await store())?.match(address).catch(() => undefined)) !== undefined;
}

/** Drops what a file was before: it has the same name but for the digest. */
async function dropFormer(cache: Cache, address: string): Promise<void> {
  const named = (one: string) => one.replace(/-[0-9a-f]{16}(?=\.\w+$)/, '');
  const stored = await cache.keys().catch(() => []);
  await Promise.all(stored.filter(({ url }) => url !== address && named(url) === named(address)).map((one) => cache.delete(one).catch(() => false)));
}

/** Where the browser keeps files of the site; null where pages come without encryption, which it keeps nothing for. */
async function store(): Promise<Cache | null> {
  return 'caches' in globalThis ? caches.open(CACHE).catch(() => null) : null;
}

/** Whether bytes have a digest; a page that came without encryption is not given digests by the browser. */
async function isWhole(bytes: ArrayBuffer, sha256: string): Promise<boolean> {
  if (sha256 === '' || !isSecureContext) return true;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('') === sha256;
}
