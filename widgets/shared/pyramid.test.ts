import { describe, expect, it } from 'vitest';
import {
  levelAt,
  levelSize,
  maxLevel,
  nearestSample,
  overviewLevel,
  shrinkOf,
  tileAddresses,
  tilesIn,
  tilesOf,
  type Pyramid,
} from './pyramid';

function pyramid(width: number, height: number, tileSize = 512): Pyramid {
  return { width, height, tileSize, overlap: 0, maxLevel: maxLevel(width, height), tileAddress: () => '' };
}

describe('levels', () => {
  it('go up to the full size', () => {
    expect(maxLevel(12_275, 12_275)).toBe(14);
    expect(maxLevel(2048, 2048)).toBe(11);
    expect(maxLevel(2049, 10)).toBe(12);
    expect(maxLevel(1, 1)).toBe(0);
  });

  it('halve in size, rounded up', () => {
    const odd = pyramid(4777, 3001);
    expect(levelSize(odd, 13)).toEqual({ width: 4777, height: 3001 });
    expect(levelSize(odd, 12)).toEqual({ width: 2389, height: 1501 });
    expect(shrinkOf(odd, 10)).toBe(8);
  });

  it('have one tile at the overview', () => {
    expect(overviewLevel(pyramid(12_275, 12_275))).toBe(9);
    expect(overviewLevel(pyramid(300, 200))).toBe(9);
    expect(overviewLevel(pyramid(513, 10))).toBe(9);
  });

  it('are chosen by the size of their pixels on the screen', () => {
    const full = pyramid(12_275, 12_275);
    expect(levelAt(full, 1)).toBe(14);
    expect(levelAt(full, 16)).toBe(14);
    expect(levelAt(full, 0.5)).toBe(13);
    expect(levelAt(full, 0.4)).toBe(13);
    expect(levelAt(full, 0.3)).toBe(12);
    expect(levelAt(full, 0.0001)).toBe(9);
  });
});

describe('tiles', () => {
  it('of a region', () => {
    const full = pyramid(2048, 2048);
    expect(tilesIn(full, 11, { x: 0, y: 0, width: 2048, height: 2048 })).toEqual({
      level: 11,
      column: 0,
      row: 0,
      columns: 4,
      rows: 4,
    });
    expect(tilesIn(full, 11, { x: 500, y: 600, width: 20, height: 10 })).toEqual({
      level: 11,
      column: 0,
      row: 1,
      columns: 2,
      rows: 1,
    });
    expect(tilesIn(full, 10, { x: -900, y: -900, width: 1000, height: 1000 })).toEqual({
      level: 10,
      column: 0,
      row: 0,
      columns: 1,
      rows: 1,
    });
  });

  it('are none beside the image', () => {
    const full = pyramid(2048, 2048);
    expect(tilesIn(full, 11, { x: 3000, y: 0, width: 100, height: 100 })).toBeNull();
    expect(tilesIn(full, 11, { x: -300, y: 0, width: 100, height: 100 })).toBeNull();
  });

  it('come from the middle outwards', () => {
    const tiles = tilesOf({ level: 3, column: 2, row: 5, columns: 3, rows: 3 });
    expect(tiles).toHaveLength(9);
    expect(tiles[0]).toEqual({ level: 3, column: 3, row: 6 });
  });

  it('are beside their descriptor', () => {
    const tile = { level: 11, column: 2, row: 3 };
    expect(tileAddresses('http://a.example/x/Run1TL/labels.dzi', 'png')(tile)).toBe(
      'http://a.example/x/Run1TL/labels_files/11/2_3.png',
    );
    expect(tileAddresses('http://a.example/x.y/labels.dzi?v=1', 'png')(tile)).toBe(
      'http://a.example/x.y/labels_files/11/2_3.png?v=1',
    );
  });
});

describe('nearestSample', () => {
  it('is the kept pixel that is closest', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((at) => nearestSample(at, 4, 100))).toEqual([0, 0, 1, 1, 1, 1, 2, 2]);
    expect(nearestSample(37, 1, 100)).toBe(37);
  });

  it('stays inside the level', () => {
    expect(nearestSample(2046, 4, levelSize(pyramid(2047, 2047), 9).width)).toBe(511);
  });
});
