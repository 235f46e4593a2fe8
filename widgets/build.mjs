// Bundles each widget into one ES module, with its CSS inside, for anywidget.
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

/** The most bytes that each bundle may have. */
const WIDGETS = { cells: 150_000, mosaic: 450_000, panorama: 500_000, scatter: 150_000 };

/** Those with OpenSeadragon inside. */
const DEEP_ZOOM = new Set(['mosaic', 'panorama']);

const root = fileURLToPath(new URL('.', import.meta.url));

/** Inlines a style sheet as a minified string: a shadow root gets it in a style element. */
const inlineCss = {
  name: 'inline-css',
  setup(bundle) {
    bundle.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code, loader: 'text' };
    });
  },
};

// Its licence asks that copies of OpenSeadragon carry this text.
const licence = await readFile(`${root}node_modules/openseadragon/LICENSE.txt`, 'utf8');
const banner = `/*! Contains OpenSeadragon.\n${licence.trim()}\n*/`;

for (const [widget, most] of Object.entries(WIDGETS)) {
  const outfile = `${root}dist/${widget}.mjs`;
  await build({
    entryPoints: [`${root}${widget}/index.ts`],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    banner: { js: DEEP_ZOOM.has(widget) ? banner : '' },
    plugins: [inlineCss],
    logLevel: 'warning',
  });
  const { size } = await stat(outfile);
  console.log(`dist/${widget}.mjs ${(size / 1000).toFixed(0)} kB`);
  if (size > most) {
    throw new Error(`dist/${widget}.mjs is ${size} bytes; at most ${most} are allowed`);
  }
}
