import { describe, expect, it } from 'vitest';
import { over, stampPoints, type Raster, type Stamp } from './points';

const [RED, GREEN, FAINT] = [0xff0000ff, 0xff00ff00, 0x330000ff];
/** Two by two pixels, all of one colour: red at level 0, green at level 1. */
const STAMP: Stamp = {
  side: 2,
  across: Int16Array.of(0, 1, 0, 1),
  down: Int16Array.of(0, 0, 1, 1),
  pixels: Uint32Array.of(RED, RED, RED, RED, GREEN, GREEN, GREEN, GREEN),
  faded: Uint32Array.of(FAINT, FAINT, FAINT, FAINT, FAINT, FAINT, FAINT, FAINT),
};
const raster = (): Raster => ({ width: 4, height: 3, pixels: new Uint32Array(12) });
const CORNER = { left: 10, top: 20, ratio: 1 };
const drawnAt = ({ pixels }: Raster, colour: number) => [...pixels.keys()].filter((at) => pixels[at] === colour);

describe('stamping points', () => {
  it('puts each where it is, later ones on top', () => {
    const target = raster();
    stampPoints(target, STAMP, { x: Float64Array.of(11, 12), y: Float64Array.of(21, 21) }, Uint8Array.of(0, 1), CORNER);
    expect(drawnAt(target, RED)).toEqual([0, 4]);
    expect(drawnAt(target, GREEN)).toEqual([1, 2, 5, 6]);
  });

  it('cuts them at the edges, without a trace on the other side', () => {
    const target = raster();
    const places = { x: Float64Array.of(14, 10, 40, -40), y: Float64Array.of(20, 23, 21, 21) };
    stampPoints(target, STAMP, places, Uint8Array.of(0, 1, 0, 0), CORNER);
    expect(drawnAt(target, RED)).toEqual([3]);
    expect(drawnAt(target, GREEN)).toEqual([8]);
  });

  it('leaves out or fades those outside a lasso', () => {
    const target = raster();
    const places = { x: Float64Array.of(11, 13), y: Float64Array.of(21, 21) };
    stampPoints(target, STAMP, places, Uint8Array.of(0, 1), CORNER, { inside: Uint8Array.of(1, 0), wanted: 0, faded: true });
    expect(drawnAt(target, FAINT)).toEqual([2, 3, 6, 7]);
    expect(drawnAt(target, RED)).toEqual([]);
  });

  it('scales with the pixels of the screen', () => {
    const target = raster();
    stampPoints(target, STAMP, { x: Float64Array.of(11.5), y: Float64Array.of(20.5) }, Uint8Array.of(0), { ...CORNER, ratio: 2 });
    expect(drawnAt(target, RED)).toEqual([2, 3, 6, 7]);
  });
});

describe('a pixel over another', () => {
  it('covers it as far as it is opaque', () => {
    expect(over(RED, GREEN)).toBe(RED);
    expect(over(0, GREEN)).toBe(GREEN);
    expect(over(FAINT, 0)).toBe(FAINT);
    expect(over(0x800000ff, 0xff00ff00).toString(16)).toBe('ff007f80');
  });
});
