/** The host of an address where that is another than the page's; null where it is not. */
export function foreignHost(address: string, page: string): string | null {
  const url = new URL(address);
  return /^https?:$/.test(url.protocol) && url.origin !== new URL(page).origin ? url.host : null;
}
