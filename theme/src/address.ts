/**
 * The static export replaces this folder's name in HTML, JSON and JavaScript by the folder that it copies files to;
 * in live preview the server answers for it. An address below it is therefore right in both.
 */
export const FILES = '/myst_assets_folder';

/** The address of a file that MyST has copied: an image, a download, a widget's module. */
export function fileAddress(url: string): string {
  return url.startsWith('/') && !url.startsWith('//') && !url.startsWith(`${FILES}/`) ? FILES + url : url;
}

/** The address of a page of the book. The slash at the end saves a redirect, since each page is a folder's index. */
export function pageAddress(base: string, url: string, fragment?: string): string {
  const [path = '', hash] = url.split('#', 2);
  const folder = path === '' || path.endsWith('/') ? path : `${path}/`;
  const target = fragment ?? hash;
  return `${base}${folder}${target === undefined ? '' : `#${target}`}`;
}

/** The slug of the page at an address, or undefined for the first page. */
export function slugAt(pathname: string, base: string): string | undefined {
  const path = base !== '' && (pathname === base || pathname.startsWith(`${base}/`)) ? pathname.slice(base.length) : pathname;
  const slug = decodeURIComponent(path).replace(/\/index\.html$/, '/').replace(/^\/+|\/+$/g, '').replaceAll('/', '.');
  return slug === '' ? undefined : slug;
}

/** What a link to another site says of it: that it is one, and that it gets no hold on this page. */
export function relOf(url: string | undefined): string | undefined {
  return /^(?:https?:)?\/\//.test(url ?? '') ? 'external noopener' : undefined;
}
