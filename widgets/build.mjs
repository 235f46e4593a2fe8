// Bundles each widget into one ES module, with its CSS inside, for anywidget.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

/** The most bytes that each bundle may have. */
const WIDGETS = { cells: 170_000, channels: 500_000, deepzoom: 440_000, methods: 460_000, mosaic: 450_000, nuclei: 150_000, panorama: 500_000, primer: 65_000, scatter: 150_000, segment: 520_000 };

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

/**
 * What tables of cells have none of: Bloom filters, which only spare reads, and values of the type VARIANT. And what images
 * have none of: texts, and the codec `cast_value`, which no program for images writes.
 */
const UNUSED = {
  bloom: `export const bloomEligibleColumns = () => [];
    export const [readBloomFilter, hashParquetValue, sbbfContains] = [undefined, undefined, () => true];`,
  variant: `export const decodeVariantColumn = () => { throw new Error('a column of the type VARIANT') };`,
  cast_value: `export const CastValueCodec = { fromConfig() { throw new Error('the codec cast_value') } };`,
  json2: `export const JsonCodec = { fromConfig() { throw new Error('an array of objects') } };`,
  'vlen-utf8': `export const VLenUTF8 = { fromConfig() { throw new Error('an array of texts') } };`,
};
const leaveOut = {
  name: 'leave-out',
  setup(bundle) {
    const filter = /(?:hyparquet\/src\/(?:bloom|variant)|zarrita\/dist\/src\/codecs\/(?:cast_value|json2|vlen-utf8))\.js$/;
    bundle.onLoad({ filter }, ({ path }) => ({ contents: UNUSED[/([\w-]+)\.js$/.exec(path)[1]] }));
  },
};

/** Packages that come without their licence's file, and what their licence is. */
const LICENCES = {
  'onnxruntime-web': `MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

/** The licences of the packages inside a bundle, which ask that copies carry them. */
async function licences({ inputs }) {
  const packages = new Set(Object.keys(inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  const texts = [...packages].sort().map(async (name) => {
    const folder = `${root}node_modules/${name}/`;
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file && LICENCES[name]) return `Contains ${name}.\n${LICENCES[name]}`;
    if (!file) throw new Error(`${name} has no licence file; do not bundle it`);
    return `Contains ${name}.\n${(await readFile(folder + file, 'utf8')).trim()}`;
  });
  const all = await Promise.all(texts);
  return all.length > 0 ? `/*!\n${all.join('\n\n')}\n*/\n` : '';
}

/** Decompressors, which the channels' bundle loads for images that have them: at most so many bytes each. */
const CODECS = { blosc: 650_000, lz4: 60_000, zstd: 12_000 };

/** They are files of their own. */
const codecsApart = {
  name: 'codecs-apart',
  setup(bundle) {
    bundle.onResolve({ filter: /^numcodecs\// }, ({ path }) => ({ path, namespace: 'apart' }));
    bundle.onLoad({ filter: /./, namespace: 'apart' }, () => ({ contents: 'export default null' }));
  },
};

/** What files of images need that lie on a disk: no other hosts, no workers of their own, and no rare compression. */
const withoutHosts = {
  name: 'without-hosts',
  setup(bundle) {
    const filter = /geotiff\/dist-module\/(?:source\/(?:remote|file)|pool|geotiffwriter|compression\/lerc)\.js$/;
    const none = `const none = () => { throw new Error('left out') };
      export { none as makeRemoteSource, none as makeCustomSource, none as makeFileSource, none as writeGeotiff, none as default };
      export const LercParameters = {}, LercAddCompression = {}, zstd = null;`;
    bundle.onLoad({ filter }, () => ({ contents: none }));
  },
};

/**
 * What runs the model of the page on which readers segment images, on the processor and on a graphics card: files of their own,
 * that are loaded on request. Of the builds for WebGPU, the one that waits by JSPI is the smallest by 10 MB.
 */
const RUNTIMES = { ort: 'ort-wasm-simd-threaded.wasm', 'ort-webgpu': 'ort-wasm-simd-threaded.jspi.wasm' };

const BUNDLES = [
  ...Object.entries(WIDGETS).map(([name, most]) => ({ name, most, entry: { entryPoints: [`${root}${name}/index.ts`], plugins: [inlineCss, leaveOut, codecsApart] } })),
  ...Object.entries(CODECS).map(([codec, most]) => ({
    name: `codec-${codec}`,
    most,
    entry: { stdin: { contents: `export { default } from '${codec === 'zstd' ? './channels/zstd' : `numcodecs/${codec}`}'`, resolveDir: root } },
  })),
  // What works beside the page, and is loaded with the first image. Not a module: of a page that is a file, browsers take none.
  { name: 'segment-worker', most: 420_000, entry: { entryPoints: [`${root}segment/worker.ts`], plugins: [withoutHosts], format: 'iife', define: { 'import.meta.url': 'self.location.href' } } },
  // What runs the network on a graphics card, beside that.
  { name: 'segment-webgpu', most: 125_000, entry: { entryPoints: [`${root}segment/webgpuworker.ts`], format: 'iife', define: { 'import.meta.url': 'self.location.href' } } },
  // The service worker of that page.
  { name: 'segment-offline', most: 4_000, entry: { entryPoints: [`${root}segment/serviceworker.ts`], format: 'iife' } },
];

for (const { name: widget, most, entry } of BUNDLES) {
  const outfile = `${root}dist/${widget}.mjs`;
  const { metafile, outputFiles } = await build({
    format: 'esm',
    ...entry,
    outfile,
    bundle: true,
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const bundle = Buffer.from((await licences(metafile)) + outputFiles[0].text);
  const size = bundle.byteLength;
  if (size > most) {
    throw new Error(`dist/${widget}.mjs is ${size} bytes; at most ${most} are allowed`);
  }
  await mkdir(`${root}dist`, { recursive: true });
  await writeFile(outfile, bundle);
  console.log(`dist/${widget}.mjs ${(size / 1000).toFixed(0)} kB`);
}
for (const [name, file] of Object.entries(RUNTIMES)) await copyFile(`${root}node_modules/onnxruntime-web/dist/${file}`, `${root}dist/${name}.wasm`);
