import { describe, expect, it } from 'vitest';
import { labelPyramid, misfit, parseLabelNames } from './labels';
import type { ZarrImage } from './zarrimage';

const image = { width: 300, height: 200, planes: 3, pxPerUm: 2 };

/** Labels of which each pixel of the finest level has its own; level n is 2^n as coarse. */
function labels(width: number, height: number, levels: number): ZarrImage {
  const size = (level: number) => {
    const shrink = 2 ** (levels - 1 - level);
    return { width: Math.ceil(width / shrink), height: Math.ceil(height / shrink), shrink };
  };
  const read = (part: { level: number; left: number; top: number; width: number; height: number }) => {
    const { shrink } = size(part.level);
    const pixels = Float64Array.from({ length: part.width * part.height }, (_, at) => {
      const [x, y] = [part.left + (at % part.width), part.top + Math.floor(at / part.width)];
      return 1 + x * shrink + width * y * shrink;
    });
    return Promise.resolve({ width: part.width, height: part.height, pixels });
  };
  return { width, height, maxLevel: levels - 1, levelSize: size, read } as unknown as ZarrImage;
}

describe('labels of an OME-Zarr image', () => {
  it('have names, none of which leads out of the image', () => {
    expect(parseLabelNames({ labels: ['nuclei', 'cells/whole', '../other', '', 3, '/root'] })).toEqual(['nuclei', 'cells/whole']);
    expect(parseLabelNames({ ome: { version: '0.5', labels: ['nuclei'] } })).toEqual(['nuclei']);
    for (const none of [null, {}, { labels: 'nuclei' }, { ome: {} }]) expect(parseLabelNames(none)).toEqual([]);
  });

  it('fit where size, planes and scale do, and else it is said why not', () => {
    expect(misfit(image, image)).toBe('');
    expect(misfit({ ...image, planes: 1, pxPerUm: null }, image)).toBe('');
    expect(misfit({ ...image, pxPerUm: 2.001 }, image)).toBe('');
    expect(misfit({ ...image, width: 150 }, image)).toBe('they are 150 × 200 px, and the image is 300 × 200 px');
    expect(misfit({ ...image, planes: 2 }, image)).toBe('they have 2 z planes, and the image has 3');
    expect(misfit({ ...image, pxPerUm: 4 }, image)).toBe('by their scale they are 75 µm wide, and the image is 150 µm wide');
  });

  it.each([1, 2, 3])('are read at any level from %d of their own', async (levels) => {
    const pyramid = labelPyramid(labels(1300, 700, levels), 0);
    for (const [level, column, row] of [[11, 2, 1], [10, 1, 0], [9, 0, 0], [8, 0, 0]] as const) {
      const shrink = 2 ** (pyramid.maxLevel - level);
      const tile = await pyramid.readLabels?.({ level, column, row });
      expect(tile?.width).toBe(Math.min(512, Math.ceil(1300 / shrink) - 512 * column));
      for (const [x, y] of [[0, 0], [5, 3], [100, 80]] as const) {
        expect(tile?.labels[y * (tile.width) + x]).toBe(1 + (512 * column + x) * shrink + 1300 * (512 * row + y) * shrink);
      }
    }
  });

  it('are not shown without a level that can be read whole', () => {
    expect(() => labelPyramid(labels(9000, 700, 1), 0)).toThrow('they have no level of at most 4,096 px; write them with more levels');
  });
});
