import { describe, expect, it } from 'vitest';
import { indexOf, labelStep, nextPlace, parseMosaic, placeAt, placeOf, runText } from './mosaic';

const ADDRESS = 'https://book.example/mosaic/mosaic.json';
const WHOLE = {
  edition: 'twin',
  note: 'Simulated.',
  seed: 1,
  px_per_um: 8.0453,
  cell_px: 256,
  columns: 3,
  rows: [
    { run: 1, passage: 'P12', cells: 3, gain: 1.5 },
    { run: 2, passage: null, cells: 1, gain: 0.5 },
    { run: 7, passage: 'P13', cells: 2, gain: null },
  ],
  intensity: 'intensity.dzi',
  normalised: 'normalised.dzi',
  cells: 'cells.json',
  clipped: 0.01,
};
const parsed = (change: Record<string, unknown> = {}) => parseMosaic(JSON.stringify({ ...WHOLE, ...change }), ADDRESS);

describe('the description of a mosaic', () => {
  it('has its rows, and addresses beside its own', () => {
    const mosaic = parsed();
    expect(mosaic.rows.map(({ run, cells }) => [run, cells])).toEqual([[1, 3], [2, 1], [7, 2]]);
    expect(mosaic.normalised).toBe('https://book.example/mosaic/normalised.dzi');
    expect(mosaic.rows.map(runText)).toEqual(['Run 1, passage P12', 'Run 2', 'Run 7, passage P13']);
  });

  it('may have no cells at all, or no normalised image', () => {
    expect(parsed({ rows: [], columns: 0, intensity: undefined }).rows).toEqual([]);
    expect(parsed({ normalised: undefined }).normalised).toBeNull();
  });

  it.each([
    ['no JSON', () => parseMosaic('<html>', ADDRESS)],
    ['no rows', () => parsed({ rows: undefined })],
    ['a row without a run', () => parsed({ rows: [{ cells: 2 }] })],
    ['a row longer than the grid', () => parsed({ columns: 2 })],
    ['cells without a size', () => parsed({ cell_px: 0 })],
    ['half a cell', () => parsed({ rows: [{ run: 1, cells: 1.5 }] })],
    ['no image', () => parsed({ intensity: 7 })],
  ])('is refused as damaged where it has %s', (_, read) => {
    expect(read).toThrow('The description of the mosaic is damaged');
  });
});

describe('places in the grid', () => {
  const mosaic = parsed();

  it('are found from pixels, but not in the black end of a row nor beside the grid', () => {
    expect(placeAt(mosaic, { x: 0, y: 0 })).toEqual({ row: 0, column: 0 });
    expect(placeAt(mosaic, { x: 511, y: 700 })).toEqual({ row: 2, column: 1 });
    for (const [x, y] of [[256, 300], [512, 700], [-1, 5], [768, 5], [5, -1], [5, 768]] as const) {
      expect(placeAt(mosaic, { x, y })).toBeNull();
    }
  });

  it('are counted in reading order, there and back', () => {
    const places = Array.from({ length: 6 }, (_, at) => placeOf(mosaic, at));
    expect(places.map((place) => place && [place.row, place.column])).toEqual([[0, 0], [0, 1], [0, 2], [1, 0], [2, 0], [2, 1]]);
    expect(places.map((place) => place && indexOf(mosaic, place))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(placeOf(mosaic, 6)).toBeNull();
  });

  it('follow one another from the last on to the first', () => {
    expect(nextPlace(mosaic, { row: 0, column: 2 }, 1)).toEqual({ row: 1, column: 0 });
    expect(nextPlace(mosaic, { row: 2, column: 1 }, 1)).toEqual({ row: 0, column: 0 });
    expect(nextPlace(mosaic, null, -1)).toEqual({ row: 2, column: 1 });
    expect(nextPlace(parsed({ rows: [] }), null, 1)).toBeNull();
  });
});

describe('labels of rows', () => {
  it('are at as many rows as there is room for, in round steps', () => {
    expect([40, 18, 17, 9, 3.6, 1.8, 0.2].map((height) => labelStep(height, 18))).toEqual([1, 1, 2, 2, 5, 10, 100]);
  });
});
