import { expect, test } from 'vitest';
import { fileAddress, pageAddress, slugAt } from '../src/address.js';

test('a copied file is found below the folder that the export renames, once', () => {
  expect(fileAddress('/cell-1.png')).toBe('/myst_assets_folder/cell-1.png');
  expect(fileAddress(fileAddress('/cell-1.png'))).toBe('/myst_assets_folder/cell-1.png');
  expect(fileAddress('https://example.org/a.png')).toBe('https://example.org/a.png');
  expect(fileAddress('data:image/png;base64,AA')).toBe('data:image/png;base64,AA');
});

test("a page's address ends in a slash, before its fragment, below the base", () => {
  expect(pageAddress('', '/data')).toBe('/data/');
  expect(pageAddress('/book', '/data#counts')).toBe('/book/data/#counts');
  expect(pageAddress('/book', '/data', 'fig-1')).toBe('/book/data/#fig-1');
  expect(pageAddress('', '/')).toBe('/');
});

test('an address leads back to its slug', () => {
  expect(slugAt('/', '')).toBeUndefined();
  expect(slugAt('/book/', '/book')).toBeUndefined();
  expect(slugAt('/book/data/', '/book')).toBe('data');
  expect(slugAt('/notebooks/scatter', '')).toBe('notebooks.scatter');
  expect(slugAt('/bookish/', '/book')).toBe('bookish');
});
