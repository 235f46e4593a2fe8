import { describe, expect, it, vi } from 'vitest';

// OpenSeadragon wants a page as soon as it is loaded.
vi.mock('openseadragon', () => ({ default: {} }));
const { parseLabelImages } = await import('./labelimages');

const ENTRY = { name: 'truth', colour: '#FFe119', labels: 'labels1/labels.dzi', panorama: 'P' };

describe('the label images of a host', () => {
  it('have addresses relative to the index', () => {
    expect(parseLabelImages([ENTRY], 'kernel://a/index.json')).toEqual([
      { name: 'truth', colour: '#FFe119', address: 'kernel://a/labels1/labels.dzi', panorama: 'P' },
    ]);
  });

  it.each([null, 'x', [3], [{ ...ENTRY, name: '' }], [{ ...ENTRY, colour: 'red;x' }], [{ ...ENTRY, labels: 3 }], [{ ...ENTRY, panorama: null }]])(
    'are nothing else: %j',
    (value) => {
      expect(parseLabelImages(value, 'https://a.example/index.json')).toEqual([]);
    },
  );
});
