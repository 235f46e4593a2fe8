import { describe, expect, it } from 'vitest';
import { parsePanoramaList } from '../shared/panoramalist';
import { Problem } from '../shared/problem';
import { parseIndex, listedPanorama } from './panoramas';

const ADDRESS = 'http://book.example/build/twin/panoramas.json';
const ENTRY = {
  panorama: 'Run1TL_top_left',
  width: 2048,
  height: 1024,
  px_per_um: 8.0453,
  intensity: 'Run1TL_top_left/intensity.dzi',
  labels: 'Run1TL_top_left/labels.dzi',
  rank: 1,
  distance: 0.03,
  num_rois: 19,
  mean_intensity: 80.1,
  std_intensity: 60.2,
};
const index = (...panoramas: unknown[]) => JSON.stringify({ edition: 'twin', note: 'Simulated', panoramas });

describe('parseIndex', () => {
  it('reads a panorama, with addresses relative to the index', () => {
    const { note, panoramas } = parseIndex(index(ENTRY), ADDRESS);
    expect(note).toBe('Simulated');
    expect(panoramas).toEqual([
      {
        name: 'Run1TL_top_left',
        width: 2048,
        height: 1024,
        pxPerUm: 8.0453,
        intensity: 'http://book.example/build/twin/Run1TL_top_left/intensity.dzi',
        labels: 'http://book.example/build/twin/Run1TL_top_left/labels.dzi',
        nuclei: null,
        truth: null,
        mistakes: null,
        preview: false,
        rank: 1,
        distance: 0.03,
        rois: 19,
        meanIntensity: 80.1,
        stdIntensity: 60.2,
      },
    ]);
  });

  it('puts panoramas in order of rank, those without one last', () => {
    const entries = [{ ...ENTRY, panorama: 'none', rank: null }, { ...ENTRY, panorama: 'second', rank: 2 }, ENTRY];
    const names = parseIndex(index(...entries), ADDRESS).panoramas.map(({ name }) => name);
    expect(names).toEqual(['Run1TL_top_left', 'second', 'none']);
  });

  it('takes a panorama without masks, scale or statistics', () => {
    const { panorama, width, height, intensity } = ENTRY;
    const [only] = parseIndex(index({ panorama, width, height, intensity }), ADDRESS).panoramas;
    expect(only).toMatchObject({ labels: null, pxPerUm: null, rank: null, rois: null });
  });

  it('takes an index without panoramas', () => {
    expect(parseIndex(index(), ADDRESS).panoramas).toEqual([]);
  });

  it.each([
    ['{"panoramas": [', 'damaged and cannot be read'],
    ['{}', 'names no panoramas'],
    ['null', 'names no panoramas'],
    [index(3), 'entry 1 has no contents'],
    [index(ENTRY, { ...ENTRY, width: 'wide' }), 'entry 2 has no size'],
    [index({ ...ENTRY, intensity: null }), 'entry 1 has no image'],
    [index({ ...ENTRY, panorama: '' }), 'entry 1 has no name'],
  ])('says what is wrong with %s', (text, message) => {
    expect(() => parseIndex(text, ADDRESS)).toThrow(Problem);
    expect(() => parseIndex(text, ADDRESS)).toThrow(message);
  });
});

describe('a panorama without a pyramid', () => {
  it('is shown by its preview, if it has one', () => {
    const columns = { panorama: ['a', 'b'], preview: ['previews/a.jpg', null], num_rois: [3, 4], mean_intensity: [50, 60] };
    const [a, b] = parsePanoramaList(JSON.stringify({ columns }), ADDRESS).panoramas;
    expect(listedPanorama(a ?? expect.fail())).toMatchObject({
      intensity: 'http://book.example/build/twin/previews/a.jpg',
      labels: null,
      preview: true,
      rois: 3,
      meanIntensity: 50,
      width: 0,
    });
    expect(listedPanorama(b ?? expect.fail())).toBeNull();
  });

  it('has its tiles in a folder or a zip, and the truth where it is among them', () => {
    const columns = { panorama: ['a'], tiles: ['a.zip'], nuclei: ['nuclei/a.json'], truth: [true], width_px: [3072], height_px: [3000], px_per_um: [8] };
    const [a] = parsePanoramaList(JSON.stringify({ columns }), ADDRESS).panoramas;
    expect(listedPanorama(a ?? expect.fail())).toMatchObject({
      intensity: 'http://book.example/build/twin/a.zip/intensity.dzi',
      labels: 'http://book.example/build/twin/a.zip/labels.dzi',
      nuclei: 'http://book.example/build/twin/nuclei/a.json',
      truth: 'http://book.example/build/twin/a.zip/truth.dzi',
      mistakes: 'http://book.example/build/twin/a.zip/mistakes.json',
      preview: false,
      pxPerUm: 8,
    });
  });
});
