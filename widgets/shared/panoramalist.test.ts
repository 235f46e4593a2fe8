import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchPanoramas, parsePanoramaList } from './panoramalist';
import { Problem } from './problem';

const ADDRESS = 'http://book.example/build/pyramids/panoramas.json';
const COLUMNS = {
  panorama: ['Run1TL_top_left', 'Run2TL_top_left', 'empty'],
  run: [1, 2, 2],
  passage: ['P12', null, 'P13'],
  num_rois: [22, 30, 0],
  mean_intensity: [77.5, 90, null],
  std_intensity: [62.5, 70.5, null],
  rank: [1, null, null],
  pyramid: [true, false, false],
  preview: ['previews/Run1TL_top_left.jpg', null, null],
  width_px: [2048, 2048, null],
  height_px: [1024, 1024, null],
  px_per_um: [8.0453, 8.0453, null],
};
const table = (changes: object = {}) =>
  JSON.stringify({ edition: 'twin', note: 'Simulated', columns: { ...COLUMNS, ...changes } });

describe('a list of panoramas', () => {
  it('has a panorama with its values, and the address of its preview relative to the list', () => {
    const { note, panoramas } = parsePanoramaList(table(), ADDRESS);
    expect(note).toBe('Simulated');
    expect(panoramas[0]).toEqual({
      name: 'Run1TL_top_left',
      run: 1,
      passage: 'P12',
      rois: 22,
      mean: 77.5,
      spread: 62.5,
      rank: 1,
      pyramid: true,
      tiles: null,
      nuclei: null,
      truth: false,
      preview: 'http://book.example/build/pyramids/previews/Run1TL_top_left.jpg',
      width: 2048,
      height: 1024,
      pxPerUm: 8.0453,
    });
  });

  it('may have names alone', () => {
    expect(parsePanoramaList('{"columns": {"panorama": ["a"]}}', ADDRESS)).toEqual({
      note: '',
      panoramas: [
        {
          name: 'a',
          run: null,
          passage: null,
          rois: null,
          mean: null,
          spread: null,
          rank: null,
          pyramid: false,
          tiles: null,
          nuclei: null,
          truth: false,
          preview: null,
          width: null,
          height: null,
          pxPerUm: null,
        },
      ],
    });
  });

  it('may have one entry for all panoramas, and a sign for the name of each in its addresses', () => {
    const brief = { run: 3, mean_intensity: 50, pyramid: true, preview: 'previews/*.jpg', tiles: ['*', '*.zip', null], nuclei: ['*/nuclei.json', 'nuclei/*.json', null], truth: null };
    const { panoramas } = parsePanoramaList(table(brief), ADDRESS);
    const folder = 'http://book.example/build/pyramids';
    expect(panoramas.map(({ run, mean, pyramid, truth }) => [run, mean, pyramid, truth])).toEqual(Array(3).fill([3, 50, true, false]));
    expect(panoramas.map(({ preview }) => preview)).toEqual(COLUMNS.panorama.map((name) => `${folder}/previews/${name}.jpg`));
    expect(panoramas.map(({ tiles }) => tiles)).toEqual([`${folder}/Run1TL_top_left`, `${folder}/Run2TL_top_left.zip`, null]);
    expect(panoramas.map(({ nuclei }) => nuclei)).toEqual([`${folder}/Run1TL_top_left/nuclei.json`, `${folder}/nuclei/Run2TL_top_left.json`, null]);
  });

  it('may be empty', () => {
    const columns = Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, []]));
    expect(parsePanoramaList(table(columns), ADDRESS).panoramas).toEqual([]);
  });

  it.each([
    ['not JSON', '{"columns": ', 'cannot be read'],
    ['an array', '[]', 'names no panoramas'],
    ['no columns', '{"columns": null}', 'names no panoramas'],
    ['a number for the names', '{"columns": {"panorama": 3}}', 'names no panoramas'],
    ['a short column', table({ run: [1] }), 'column run has 1 of 3'],
    ['a number for a name', table({ panorama: ['a', 2, 'c'] }), 'entry 2 has no name'],
  ])('is refused where it is %s', (_, text, words) => {
    expect(() => parsePanoramaList(text, ADDRESS)).toThrow(Problem);
    expect(() => parsePanoramaList(text, ADDRESS)).toThrow(words);
  });

  it('lacks values that are of another type', () => {
    const [first] = parsePanoramaList(table({ mean_intensity: ['high', 90, null], pyramid: ['yes', false, false] }), ADDRESS).panoramas;
    expect([first?.mean, first?.pyramid]).toEqual([null, false]);
  });
});

describe('a list of panoramas that a view can do without', () => {
  const { signal } = new AbortController();
  const answer = (response: Response) => {
    vi.stubGlobal('fetch', () => Promise.resolve(response));
  };
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('is read by name', async () => {
    answer(new Response(table()));
    const panoramas = await fetchPanoramas(ADDRESS, signal);
    expect([...panoramas.keys()]).toEqual(COLUMNS.panorama);
    expect(panoramas.get('Run2TL_top_left')).toMatchObject({ pyramid: false, preview: null, width: 2048 });
  });

  it('is empty where it is missing or damaged', async () => {
    answer(new Response('', { status: 404 }));
    expect((await fetchPanoramas(ADDRESS, signal)).size).toBe(0);
    answer(new Response('{"columns": '));
    expect((await fetchPanoramas(ADDRESS, signal)).size).toBe(0);
  });
});
