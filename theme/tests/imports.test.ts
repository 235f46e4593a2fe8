import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Required, because vite would transform all nine megabytes of an import.
const ts = createRequire(import.meta.url)('typescript') as typeof import('typescript');
const SOURCE = fileURLToPath(new URL('../src', import.meta.url));

/** What each module imports of the others, types included. */
function importsOfModules(): Map<string, string[]> {
  const modules = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  return new Map(modules.map((name) => {
    const path = join(SOURCE, name);
    const imported = ts.preProcessFile(readFileSync(path, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName);
    const own = imported.filter((other) => other.startsWith('.')).map((other) => relative(SOURCE, join(dirname(path), other)));
    return [name, own.map((other) => modules.find((module) => module.replace(/\.tsx?$/, '.js') === other) ?? other)];
  }));
}

/** The first circle of imports, as a path that ends where it begins. */
function circleIn(imports: Map<string, string[]>): string[] | undefined {
  const finished = new Set<string>();
  const visit = (module: string, path: string[]): string[] | undefined => {
    if (path.includes(module)) return [...path.slice(path.indexOf(module)), module];
    if (finished.has(module)) return undefined;
    for (const other of imports.get(module) ?? []) {
      const circle = visit(other, [...path, module]);
      if (circle !== undefined) return circle;
    }
    finished.add(module);
    return undefined;
  };
  for (const module of imports.keys()) {
    const circle = visit(module, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

test('no module of the theme imports itself by way of others', () => {
  const imports = importsOfModules();
  expect(imports.get('server.ts')).toContain('Document.tsx');
  expect(circleIn(imports)).toBeUndefined();
});

test('a circle is found and named', () => {
  expect(circleIn(new Map([['a', ['b']], ['b', ['c', 'd']], ['c', []], ['d', ['b']]]))).toEqual(['b', 'd', 'b']);
});
