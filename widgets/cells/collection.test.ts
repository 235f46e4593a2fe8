import { describe, expect, it } from 'vitest';
import { parsePanoramas } from '../shared/where';
import { parseCells } from './collection';

const ADDRESS = 'https://book.example/build/cells/cells.json';
const WHOLE = {
  edition: 'twin',
  note: 'Simulated.',
  px_per_um: 8.0453,
  cell_px: 256,
  thumbnail_px: 64,
  cells: 5,
  runs: [{ run: 1, passage: 'P12', first: 0, cells: 2 }, { run: 2, passage: null, first: 2, cells: 3 }],
  images: 'cells.zarr/images',
  thumbnails: 'cells.zarr/thumbnails',
  table: 'cells.parquet',
  table_bytes: 7000,
};

describe('a list of cells', () => {
  it('is read, with addresses relative to its own', () => {
    expect(parseCells(JSON.stringify(WHOLE), ADDRESS).collection).toEqual({
      note: 'Simulated.',
      cells: 5,
      pxPerUm: 8.0453,
      cellPx: 256,
      runs: WHOLE.runs,
      images: 'https://book.example/build/cells/cells.zarr/images',
      thumbnails: 'https://book.example/build/cells/cells.zarr/thumbnails',
      table: 'https://book.example/build/cells/cells.parquet',
      tableBytes: 7000,
    });
  });

  it('may lie on another host', () => {
    const addresses = { images: 'https://store.example/images', thumbnails: '//store.example/t', table: 'https://store.example/c' };
    const { collection } = parseCells(JSON.stringify({ ...WHOLE, ...addresses, table_bytes: undefined }), ADDRESS);
    expect(collection).toMatchObject({ ...addresses, thumbnails: 'https://store.example/t', tableBytes: null });
  });

  it('of an edition without cells has its note alone', () => {
    expect(parseCells('{"cells": 0, "note": "None here."}', ADDRESS)).toEqual({ note: 'None here.', collection: null });
  });

  it.each([
    ['{', 'cannot be read'],
    ['[]', 'names no cells'],
    ['{}', 'no number of cells'],
    [JSON.stringify({ ...WHOLE, cells: -1 }), 'no number of cells'],
    [JSON.stringify({ ...WHOLE, images: 3 }), 'where they are'],
    [JSON.stringify({ ...WHOLE, cell_px: '256' }), 'no size'],
    [JSON.stringify({ ...WHOLE, cells: 4 }), 'no stretches'],
    [JSON.stringify({ ...WHOLE, runs: [{ run: 1, first: -1, cells: 2 }] }), 'no stretches'],
  ])('that is damaged is told of: %s', (text, told) => {
    expect(() => parseCells(text, ADDRESS)).toThrow(told);
  });
});

describe('what there is of panoramas', () => {
  it('is read by name', () => {
    const columns = { panorama: ['a', 'b', 3], pyramid: [true, false], preview: [null, 'previews/b.jpg'], width_px: [10, 20], height_px: [5, null] };
    expect(parsePanoramas(JSON.stringify({ columns }), 'https://book.example/p/panoramas.json')).toEqual(
      new Map([
        ['a', { pyramid: true, preview: null, width: 10, height: 5 }],
        ['b', { pyramid: false, preview: 'https://book.example/p/previews/b.jpg', width: 20, height: null }],
      ]),
    );
  });

  it('is nothing where the list is damaged', () => {
    for (const text of ['', '{', '[]', '{"columns": {"panorama": 3}}']) expect(parsePanoramas(text, ADDRESS).size).toBe(0);
  });
});
