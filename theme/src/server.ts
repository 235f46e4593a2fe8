import { createReadStream, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { extname, join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { fileURLToPath } from 'node:url';
import { renderToStaticMarkup } from 'react-dom/server';
import { createElement } from 'react';
import { FILES, slugAt } from './address.js';
import { Content } from './content.js';
import { Document, type Assets } from './Document.js';
import { figuresOf, type Shown } from './figures.js';
import { robots, sitemap } from './sitemap.js';
import { siteAddress, type Project, type Site } from './site.js';

const { PORT = '3000', HOST = 'localhost', CONTENT_CDN_PORT = '3100', MODE = 'app' } = process.env;
const base = (process.env.BASE_URL ?? '').replace(/\/$/, '');
const live = MODE === 'app';

const here = fileURLToPath(new URL('.', import.meta.url));
const publicFolder = join(here, '..', 'public');
const assets = JSON.parse(readFileSync(join(here, 'assets.json'), 'utf8')) as Assets;
const content = new Content(`http://${HOST}:${CONTENT_CDN_PORT}`);

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

// The export asks for these whether or not a theme has use for them.
const FIXED: Record<string, [type: string, body: string]> = {
  '/myst-theme.css': ['text/css; charset=utf-8', '/* The styles of this site are in assets/. */\n'],
  '/sitemap_style.xsl': [
    'application/xml; charset=utf-8',
    '<?xml version="1.0" encoding="UTF-8"?>\n<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>\n',
  ],
};

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://site');
  const path = base !== '' && pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname;

  const fixed = FIXED[path];
  if (fixed !== undefined) {
    send(response, 200, ...fixed);
  } else if (path === '/robots.txt') {
    send(response, 200, 'text/plain; charset=utf-8', robots(await content.site()));
  } else if (path === '/sitemap.xml') {
    send(response, 200, 'application/xml; charset=utf-8', sitemap(await content.site()));
  } else if (path === '/favicon.ico') {
    await sendIcon(response);
  } else if (path.startsWith(`${FILES}/`)) {
    await passOn(path.slice(FILES.length) + search, request, response);
  } else if (['/config.json', '/myst.xref.json', '/myst.search.json', '/objects.inv'].includes(path)) {
    await passOn(path, request, response);
  } else if (path.endsWith('.json')) {
    const page = await content.page(slugAt(path.slice(0, -'.json'.length), '') ?? '');
    if (page === undefined) send(response, 404, 'text/plain; charset=utf-8', `No page at ${path}\n`);
    else send(response, 200, 'application/json; charset=utf-8', JSON.stringify(page));
  } else if (!(await sendAsset(path, response))) {
    await sendPage(path, response);
  }
}

async function sendPage(path: string, response: ServerResponse): Promise<void> {
  const site = await content.site();
  const project = site.projects?.[0];
  if (project === undefined) throw new Error('The site has no project: see `site` and `project` in myst.yml');
  const page = await content.page(slugAt(path, '') ?? project.index);
  if (page !== undefined) await content.complete(page);
  const html = renderToStaticMarkup(createElement(Document, { site, project, page, base, figures: await figuresOfBook(project), assets, live, dataset: await datasetOf(site) }));
  send(response, page === undefined ? 404 : 200, 'text/html; charset=utf-8', `<!doctype html>\n${html}`);
}

/** What the site's cells are: said where the site knows its address, since without it nothing says where they are. */
async function datasetOf(site: Site): Promise<object | undefined> {
  const file = site.options?.dataset;
  if (file === undefined || siteAddress(site) === undefined) return undefined;
  const response = await content.fetch(file.replace(FILES, ''));
  if (!response.ok) throw new Error(`The content server answers ${response.status} for ${file}`);
  return (await response.json()) as object;
}

let shown: Promise<Shown[]> | undefined;

/** The figures of all pages. An export asks for every page of a book that doesn't change meanwhile. */
async function figuresOfBook(project: Project): Promise<Shown[]> {
  if (live || shown === undefined) {
    const slugs = [project.index, ...project.pages.flatMap(({ slug }) => slug ?? [])];
    shown = Promise.all(
      slugs.map(async (slug) => {
        const page = await content.page(slug);
        return page === undefined ? [] : figuresOf(page, base, slug === project.index);
      }),
    ).then((pages) => pages.flat());
  }
  return shown;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' });
  response.end(body);
}

async function sendAsset(path: string, response: ServerResponse): Promise<boolean> {
  const file = normalize(join(publicFolder, decodeURIComponent(path)));
  if (!file.startsWith(publicFolder + sep)) return false;
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) return false;
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': found.size,
    'cache-control': 'no-cache',
  });
  createReadStream(file).pipe(response);
  return true;
}

async function sendIcon(response: ServerResponse): Promise<void> {
  const icon = (await content.site()).options?.favicon;
  const own = icon === undefined ? undefined : await content.fetch(icon.replace(FILES, ''));
  if (own?.ok === true) {
    response.writeHead(200, { 'content-type': own.headers.get('content-type') ?? 'image/x-icon' });
    response.end(Buffer.from(await own.arrayBuffer()));
  } else {
    await sendAsset('/favicon.ico', response);
  }
}

/** Hands a file of the content server on, so that pages need no second origin. */
async function passOn(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { range } = request.headers;
  const answered = await fetch(`http://${HOST}:${CONTENT_CDN_PORT}${path}`, { headers: range === undefined ? {} : { range } });
  const headers: Record<string, string> = { 'cache-control': 'no-cache' };
  for (const name of ['content-type', 'content-range', 'accept-ranges', 'etag', 'last-modified']) {
    const value = answered.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  response.writeHead(answered.status, headers);
  if (answered.body === null) response.end();
  else Readable.fromWeb(answered.body as ReadableStream).on('error', () => { response.destroy(); }).pipe(response);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(`${request.url ?? ''}: ${text}`);
    if (response.headersSent) response.destroy();
    else send(response, 500, 'text/plain; charset=utf-8', `${text}\n`);
  });
});

// The content server says through a websocket at /socket that a page has changed.
server.on('upgrade', (request, socket, head) => {
  const upstream = connect(Number(CONTENT_CDN_PORT), HOST, () => {
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
    upstream.write(`GET /socket HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
  });
  const close = () => { upstream.destroy(); socket.destroy(); };
  upstream.on('error', close);
  socket.on('error', close);
});

server.on('error', (error) => {
  console.error(`The site's server can't listen on ${HOST}:${PORT}: ${error.message}`);
  process.exit(1);
});

// mystmd waits for a line that names this address.
server.listen(Number(PORT), HOST, () => { console.log(`Server started on http://${HOST}:${PORT}`); });
