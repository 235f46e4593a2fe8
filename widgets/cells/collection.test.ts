import { describe, expect, it } from 'vitest';
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
      overview: null,
      draw: null,
      shards: null,
    });
  });

  it('says how many cells each shard holds', () => {
    expect(parseCells(JSON.stringify({ ...WHOLE, shards: [2, 2, 1] }), ADDRESS).collection?.shards).toEqual([2, 2, 1]);
  });

  it('names the overview of very many, and does without one that it does not say enough of', () => {
    const of = (overview: unknown) => parseCells(JSON.stringify({ ...WHOLE, overview }), ADDRESS).collection?.overview;
    expect(of({ table: 'overview.parquet', cells: 3, table_bytes: 900 })).toEqual({
      table: 'https://book.example/build/cells/overview.parquet',
      cells: 3,
      tableBytes: 900,
    });
    expect([of({ table: 'overview.parquet' }), of({ cells: 3 }), of('overview.parquet')]).toEqual([null, null, null]);
  });

  it('names the thumbnails of a first draw, and does without those that it does not say enough of', () => {
    const of = (draw: unknown) => parseCells(JSON.stringify({ ...WHOLE, draw }), ADDRESS).collection?.draw;
    const whole = { seed: 1, cells: [4, 0], thumbnails: 'draw.zarr/thumbnails' };
    expect(of(whole)).toEqual({ ...whole, thumbnails: 'https://book.example/build/cells/draw.zarr/thumbnails' });
    expect([of({ ...whole, seed: 0 }), of({ ...whole, cells: [4, 'a'] }), of({ ...whole, thumbnails: 3 }), of([])]).toEqual([null, null, null, null]);
  });

  it('may be on another host', () => {
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
    [JSON.stringify({ ...WHOLE, shards: [2, 2] }), 'its shards hold other cells'],
    [JSON.stringify({ ...WHOLE, shards: [2, 2, '1'] }), 'its shards hold other cells'],
    [JSON.stringify({ ...WHOLE, runs: [{ run: 1, first: -1, cells: 2 }] }), 'no stretches'],
  ])('that is damaged is refused: %s', (text, message) => {
    expect(() => parseCells(text, ADDRESS)).toThrow(message);
  });
});
