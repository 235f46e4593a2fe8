import { updatePageStaticLinksInplace, updateSiteManifestStaticLinksInplace } from '@myst-theme/common';
import { imageSize } from 'image-size';
import { FILES, fileAddress } from './address.js';
import { walk, type Node, type MimeContent } from './node.js';
import { STATE, VIEW } from './saved-state.js';
import type { Page, Site } from './site.js';
import { isFilm } from './Video.js';

const OWN_FILES = ['pdf', 'docx', 'jats', 'meca', 'dataset'] as const;

/** What mystmd's content server holds, with addresses as the site has them. */
export class Content {
  readonly #origin: string;
  readonly #sizes = new Map<string, { width: number; height: number } | undefined>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** The file at a path, straight from the content server. */
  fetch(path: string): Promise<Response> {
    return fetch(this.#origin + path);
  }

  async site(): Promise<Site> {
    const response = await this.fetch('/config.json');
    if (!response.ok) throw new Error(`The content server answers ${response.status} for /config.json`);
    const site = (await response.json()) as Site;
    updateSiteManifestStaticLinksInplace(site as never, fileAddress);
    // It knows the options of other themes.
    for (const name of OWN_FILES) {
      const url = site.options?.[name];
      if (url !== undefined) site.options = { ...site.options, [name]: fileAddress(url) };
    }
    return site;
  }

  /** A page as the export publishes it, or undefined where there is none of that name. */
  async page(slug: string): Promise<Page | undefined> {
    const response = await this.fetch(`/content/${encodeURIComponent(slug)}.json`);
    if (!response.ok) return undefined;
    const page = (await response.json()) as Page;
    updatePageStaticLinksInplace(page as never, fileAddress);
    return page;
  }

  /**
   * Completes a page for rendering: large text outputs are in files of their own and are read into the page, images
   * get their size, so that nothing moves while they load, and widgets that are embedded from a notebook their state.
   */
  async complete(page: Page): Promise<void> {
    const work = [this.#addWidgets(page)];
    const visit = (node: Node) => {
      if (node.type === 'image' && node.url !== undefined && !isFilm(node)) work.push(this.#addSize(node));
      const output = node.jupyter_data;
      if (output === undefined) return;
      if (output.path !== undefined) {
        work.push(this.#text(output.path).then((text) => { output.text = text; }));
      }
      for (const mime of Object.values(output.data ?? {})) {
        if (mime.path === undefined) continue;
        work.push(mime.content_type.startsWith('image/') ? this.#addOutputSize(node, mime) : this.#addText(mime));
      }
    };
    walk(page.mdast, visit);
    Object.values(page.frontmatter.parts ?? {}).forEach((part) => { walk(part.mdast, visit); });
    await Promise.all(work);
  }

  /** The state of widgets is saved with the notebook that shows them, not with what embeds them. */
  async #addWidgets(page: Page): Promise<void> {
    const notebooks = new Set<string>();
    walk(page.mdast, ({ source, children = [] }) => {
      if (source?.kind !== 'Notebook' || source.slug === undefined) return;
      const { slug } = source;
      children.forEach((child) => {
        walk(child, ({ jupyter_data: output }) => { if (output?.data?.[VIEW] !== undefined) notebooks.add(slug); });
      });
    });
    for (const slug of notebooks) {
      const saved = (await this.page(slug))?.widgets?.[STATE]?.state;
      page.widgets = { ...page.widgets, [STATE]: { state: { ...saved, ...page.widgets?.[STATE]?.state } } };
    }
  }

  async #text(path: string): Promise<string> {
    const response = await this.fetch(path.replace(FILES, ''));
    if (!response.ok) throw new Error(`The content server answers ${response.status} for ${path}`);
    return response.text();
  }

  async #addText(mime: MimeContent): Promise<void> {
    // A figure's data may be large: the browser fetches it when the figure comes near.
    if (mime.content_type === 'application/vnd.plotly.v1+json') return;
    mime.content = await this.#text(mime.path ?? '');
  }

  async #addSize(image: Node): Promise<void> {
    const size = await this.#size(image.url ?? '');
    if (size !== undefined) image.data = { ...image.data, size };
  }

  async #addOutputSize(output: Node, mime: MimeContent): Promise<void> {
    const size = await this.#size(mime.path ?? '');
    if (size !== undefined) output.data = { ...output.data, size };
  }

  async #size(address: string): Promise<{ width: number; height: number } | undefined> {
    if (!address.startsWith(FILES)) return undefined;
    if (!this.#sizes.has(address)) {
      const response = await this.fetch(address.slice(FILES.length));
      let size;
      try {
        const { width, height } = imageSize(new Uint8Array(await response.arrayBuffer()));
        size = { width, height };
      } catch {
        // A format without a readable size is shown all the same.
      }
      this.#sizes.set(address, size);
    }
    return this.#sizes.get(address);
  }
}
