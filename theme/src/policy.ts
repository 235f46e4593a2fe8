import { createHash } from 'node:crypto';
import type { Node } from './node.js';

/** Runs before anything is painted, so that a remembered choice of light or dark never flashes the other one first. */
export const APPEARANCE = `try{var a=localStorage.getItem('appearance');if(a==='light'||a==='dark')document.documentElement.dataset.appearance=a}catch(e){}`;

/** What mystmd's export writes into the head of every page, letter by letter: an address without `index.html` is shown. */
const EXPORT_REDIRECT = `(function(){var p=window.location.pathname;if(p.endsWith('/index.html'))window.location.replace((p.slice(0,-10)||'/')+window.location.search+window.location.hash);})();`;

const hash = (script: string) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

/** Where the hub of data sets keeps its files, besides its own address. */
const FILES_OF: Record<string, string[]> = { 'https://huggingface.co': ['https://*.hf.co', 'https://*.huggingface.co'] };

/** Other hosts that views on a page ask once a reader has said so: those of a data set, of a Deep Zoom image, and of OME-Zarr. */
export function hostsOf(node: Node): string[] {
  const own = node.type === 'anywidget' ? ['dataset', 'tileSources', 'zarr'].map((name) => node.model?.[name]) : [];
  const origins = own
    .filter((address) => typeof address === 'string' && /^https?:\/\//.test(address))
    .map((address) => new URL(address as string).origin);
  const all = [...origins.flatMap((origin) => [origin, ...(FILES_OF[origin] ?? [])]), ...(node.children ?? []).flatMap(hostsOf)];
  return [...new Set(all)];
}

/**
 * Whether a page has a view that runs WebAssembly: one of OME-Zarr images, for its decompressors (those that nnbook writes
 * itself, which `images` lists, need none), or the one that segments.
 */
export function runsWebAssembly(node: Node): boolean {
  return (node.type === 'anywidget' && typeof node.model?.zarr === 'string') || isSegmenter(node) || (node.children ?? []).some(runsWebAssembly);
}

/** Whether a page segments images of its reader, of which no other host may learn: not even the one of the book's cells. */
export function segments(node: Node): boolean {
  return isSegmenter(node) || (node.children ?? []).some(segments);
}

function isSegmenter({ type, esm }: Node): boolean {
  return type === 'anywidget' && /\bsegment(-[0-9a-f]+)?\.mjs$/.test(esm ?? '');
}

interface Allowed {
  dataHost?: string;
  hosts?: string[];
  bringsCode?: boolean;
  webAssembly?: boolean;
}

/**
 * What a page may load, for the browser to enforce: this site's own files, the two scripts above, and nothing from
 * another host but data of the one that is named, if one is, and what a view asks of others once its reader wants that. Styles may be in the text, because KaTeX, Plotly and
 * Mermaid place their parts by them. A notebook that saved a widget brings its code along as text, which runs from a blob:
 * only pages of such notebooks allow that. WebAssembly is for pages with OME-Zarr images, and for the one that segments.
 */
export const policyOf = ({ dataHost, hosts = [], bringsCode = false, webAssembly = false }: Allowed): string => [
  "default-src 'self'",
  `script-src 'self' ${bringsCode ? 'blob: ' : ''}${webAssembly ? "'wasm-unsafe-eval' " : ''}${hash(APPEARANCE)} ${hash(EXPORT_REDIRECT)}`,
  "style-src 'self' 'unsafe-inline'",
  ["img-src 'self' data: blob:", ...hosts].join(' '),
  "media-src 'self' data: blob:",
  "font-src 'self' data:",
  ["connect-src 'self' data: blob:", ...(dataHost === undefined ? [] : [new URL(dataHost).origin]), ...hosts].join(' '),
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
