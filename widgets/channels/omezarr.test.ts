import { describe, expect, it } from 'vitest';
import { allChannels, COLOURS, firstSeries, parseMultiscale } from './omezarr';

const SPACE = ['z', 'y', 'x'].map((name) => ({ name, type: 'space', unit: 'micrometer' }));
const IMAGE = {
  axes: [{ name: 'c', type: 'channel' }, ...SPACE],
  datasets: [0, 1].map((level) => ({ path: String(level), coordinateTransformations: [{ type: 'scale', scale: [1, 1, 0.25 * 2 ** level, 0.25 * 2 ** level] }] })),
};

describe('the metadata of an OME-Zarr image', () => {
  it('are read in versions 0.4 and 0.5', () => {
    const expected = { paths: ['0', '1'], axes: ['c', 'z', 'y', 'x'], pxPerUm: 4, z: 3, channels: [{ name: 'DAPI', colour: '#0000ff', range: [5, 90], shown: false }] };
    const omero = { channels: [{ label: 'DAPI', color: '0000FF', window: { start: 5, end: 90, min: 0, max: 255 }, active: false }], rdefs: { defaultZ: 3 } };
    expect(parseMultiscale({ multiscales: [IMAGE], omero }, 'here')).toEqual(expected);
    expect(parseMultiscale({ ome: { version: '0.5', multiscales: [IMAGE], omero } }, 'here')).toEqual(expected);
  });

  it('may have a scale for all levels, another unit, or none', () => {
    const shared = { ...IMAGE, coordinateTransformations: [{ type: 'scale', scale: [1, 1, 2, 2] }] };
    expect(parseMultiscale({ multiscales: [shared] }, 'here').pxPerUm).toBe(2);
    const bare = { ...IMAGE, axes: IMAGE.axes.map(({ name }) => ({ name })) };
    expect(parseMultiscale({ multiscales: [bare] }, 'here').pxPerUm).toBeNull();
  });

  it.each([
    [null, /no OME-Zarr image/],
    [{}, /names no multiscales/],
    [{ multiscales: [{ datasets: [] }] }, /names no multiscales/],
    [{ multiscales: [{ ...IMAGE, axes: [{ name: 'x' }] }] }, /damaged/],
    [{ multiscales: [{ ...IMAGE, datasets: [{}] }] }, /damaged/],
    [{ ome: { plate: {} } }, /a plate/],
  ])('that are none are one line: %j', (attributes, told) => {
    expect(() => parseMultiscale(attributes, 'here')).toThrow(told);
  });

  it('of bioformats2raw lead to the first series', () => {
    expect(firstSeries({ 'bioformats2raw.layout': 3 })).toBe('0');
    expect(firstSeries({ ome: { 'bioformats2raw.layout': 3 } })).toBe('0');
    expect(firstSeries({ multiscales: [IMAGE] })).toBeNull();
  });
});

describe('channels of which nothing is said', () => {
  it('have colours that are told apart, and at most six are shown', () => {
    const channels = allChannels([], 8);
    expect(channels.slice(0, 6).map(({ colour }) => colour)).toEqual([...COLOURS]);
    expect(channels.map(({ shown }) => shown)).toEqual([...Array<boolean>(6).fill(true), false, false]);
    expect(allChannels([], 1)).toEqual([{ name: 'Channel 1', colour: '#ffffff', range: null, shown: true }]);
  });
});
