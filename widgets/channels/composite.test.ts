import { describe, expect, it, vi } from 'vitest';
import { CHANNEL_STATE } from './channelstate';

// OpenSeadragon wants a page as soon as it is loaded.
vi.mock('openseadragon', () => ({ default: { TileSource: Object } }));
const { paintChannels, usualRange } = await import('./composite');

const channel = (colour: string, range: [number, number]) => ({ name: '', colour, range, shown: true });
const tile = (...values: number[]) => ({ width: values.length, height: 1, pixels: Uint16Array.from(values) });

describe('channels', () => {
  it('add up, each from black to its full colour over its range', () => {
    const out = new Uint8ClampedArray(16);
    const shown = [
      { tile: tile(0, 100, 200, 900), channel: channel('#ff0000', [100, 300]) },
      { tile: tile(50, 50, 0, 50), channel: channel('#ff00ff', [0, 50]) },
    ];
    paintChannels(shown, out);
    expect([...out]).toEqual([255, 0, 255, 255, 255, 0, 255, 255, 128, 0, 0, 255, 255, 0, 255, 255]);
  });

  it('have a range that leaves out what is rare', () => {
    expect(usualRange(Uint16Array.from({ length: 1001 }, (_, at) => (at === 7 ? 60_000 : 100 + (at % 200))))).toEqual([100, 299]);
    expect(usualRange(Uint16Array.of(5, 5, 5))).toEqual([5, 6]);
  });

  it('go into an address and come back, and what is none is not taken', () => {
    const kind = CHANNEL_STATE.channels;
    const channels = [{ name: '', colour: '#ff00ff', range: [100, 4000.5] as [number, number], shown: true }, { name: '', colour: '#00ff00', range: [-1, 1] as [number, number], shown: false }];
    expect(kind.format(channels)).toBe('ff00ff,100,4000.5,1;00ff00,-1,1,0');
    expect(kind.parse(kind.format(channels))).toEqual(channels);
    for (const text of ['', 'red,1,2,1', 'ff00ff,2,1,1', 'ff00ff,1,2', 'ff00ff,1,2,1;']) expect(kind.parse(text)).toBeUndefined();
    for (const value of [[], 3, [{ colour: 'red', range: [0, 1] }], [{ colour: '#ff00ff', range: [1] }]]) expect(kind.accept(value)).toBeUndefined();
  });
});
