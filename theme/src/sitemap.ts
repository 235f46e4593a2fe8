import { publicAddress, siteAddress, type Site } from './site.js';

/** The pages of the site for search engines. They want whole addresses, so that without one the list stays empty. */
export function sitemap(site: Site): string {
  const project = site.projects?.[0];
  const slugs = project === undefined ? [] : [project.index, ...project.pages.flatMap(({ slug }) => slug ?? [])];
  const urls = slugs
    .map((slug) => publicAddress(site, { slug }, slug === project?.index))
    .filter((address) => address !== undefined)
    .map((address) => `  <url><loc>${address.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</loc></url>\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${urls.join('')}</urlset>\n`;
}

export function robots(site: Site): string {
  const address = siteAddress(site);
  return `User-agent: *\nAllow: /\n${address === undefined ? '' : `Sitemap: ${address}/sitemap.xml\n`}`;
}
