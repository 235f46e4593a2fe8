import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

/**
 * Gives the server the hashed names of the files that a page links to.
 */
function listAssets(): Plugin {
  return {
    name: 'list-assets',
    apply: (_, { isSsrBuild }) => !isSsrBuild,
    writeBundle(_, bundle) {
      const names = Object.keys(bundle);
      const find = (pattern: RegExp) => {
        const name = names.find((candidate) => pattern.test(candidate));
        if (name === undefined) throw new Error(`The client build holds no file like ${String(pattern)}`);
        return name;
      };
      mkdirSync('build', { recursive: true });
      writeFileSync(
        'build/assets.json',
        JSON.stringify({
          script: find(/client-.*\.js$/),
          style: find(/style-.*\.css$/),
          mathStyle: find(/math-.*\.css$/),
          mathFonts: [find(/KaTeX_Main-Regular.*\.woff2$/), find(/KaTeX_Math-Italic.*\.woff2$/)],
          italics: [find(/source-serif-4-latin-wght-italic.*\.woff2$/)],
          fonts: [find(/source-serif-4-latin-wght-normal.*\.woff2$/), find(/source-sans-3-latin-wght-normal.*\.woff2$/)],
        }),
      );
    },
  };
}

/** Every browser that runs the site reads WOFF2; KaTeX's older formats would only weigh on the export. */
function onlyWoff2(): Plugin {
  return {
    name: 'only-woff2',
    enforce: 'post',
    generateBundle(_, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        if (/\.(?:woff|ttf)$/.test(name)) Reflect.deleteProperty(bundle, name);
        else if (file.type === 'asset' && name.endsWith('.css')) {
          file.source = String(file.source).replace(/,\s*url\([^)]+\.(?:woff|ttf)\)\s*format\(["']?(?:woff|truetype)["']?\)/g, '');
        }
      }
    },
  };
}

/** Mermaid comes minified and in parts that load by kind of diagram: it is copied as it is, to be loaded when one is near. */
function copyMermaid(): Plugin {
  const from = 'node_modules/mermaid/dist';
  return {
    name: 'copy-mermaid',
    apply: (_, { isSsrBuild }) => !isSsrBuild,
    writeBundle() {
      cpSync(`${from}/mermaid.esm.min.mjs`, 'public/mermaid/mermaid.esm.min.mjs');
      cpSync(`${from}/chunks/mermaid.esm.min`, 'public/mermaid/chunks/mermaid.esm.min', {
        recursive: true,
        filter: (name) => !name.endsWith('.map'),
      });
    },
  };
}

export default defineConfig(({ isSsrBuild }) => ({
  base: './',
  publicDir: isSsrBuild ? false : 'static',
  plugins: [listAssets(), onlyWoff2(), copyMermaid()],
  ssr: { noExternal: true },
  // Listings have a renderer of our own: the highlighter that myst-to-react would bring stays out of the bundle.
  resolve: { alias: { 'react-syntax-highlighter': fileURLToPath(new URL('src/no-highlighter.ts', import.meta.url)) } },
  build: isSsrBuild
    ? {
        outDir: 'build',
        emptyOutDir: false,
        target: 'node20',
        rollupOptions: {
          input: 'src/server.ts',
          output: { entryFileNames: 'server.mjs' },
          // Says that 'use client' means nothing here, for each of a dozen files.
          onwarn: (warning, warn) => { if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning); },
        },
      }
    : {
        outDir: 'public',
        target: 'es2022',
        assetsInlineLimit: 0,
        modulePreload: false,
        chunkSizeWarningLimit: 1300,
        rollupOptions: {
          input: { client: 'src/client/client.ts', style: 'src/styles/style.css', math: 'src/styles/math.css' },
        },
      },
  test: { include: ['tests/**/*.test.ts'] },
}));
