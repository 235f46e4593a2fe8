import { describe, expect, it } from 'vitest';
import { COLOURS, colourIndex, PIXELS } from './palette';

type Triple = [number, number, number];
type Matrix = [Triple, Triple, Triple];

/** How linear RGB looks to dichromats (Machado, Oliveira and Fernandes 2009, full severity). */
const VISION: Record<string, Matrix> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const LINEAR_TO_LMS: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const LMS_TO_OKLAB: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

const times = (matrix: Matrix, [a, b, c]: Triple): Triple =>
  matrix.map((row) => row[0] * a + row[1] * b + row[2] * c) as Triple;
const linear = (colour: string): Triple =>
  [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Triple;

/** Distance in OKLab between two colours as seen with a kind of vision. */
function difference(vision: Matrix, a: string, b: string): number {
  const seen = [a, b].map((colour) => {
    const clipped = times(vision, linear(colour)).map((value) => Math.min(1, Math.max(0, value))) as Triple;
    return times(LMS_TO_OKLAB, times(LINEAR_TO_LMS, clipped).map(Math.cbrt) as Triple);
  }) as [Triple, Triple];
  return Math.hypot(...seen[0].map((value, at) => value - (seen[1][at] ?? 0)));
}

describe('palette', () => {
  it.each(Object.entries(VISION))('has colours that can be distinguished: %s', (_name, vision) => {
    const distances = COLOURS.flatMap((a, at) => COLOURS.slice(at + 1).map((b) => difference(vision, a, b)));
    expect(Math.min(...distances)).toBeGreaterThan(0.085);
  });

  it('gives twelve labels in a row twelve colours', () => {
    for (const first of [0, 12, 690 * 12, 1_000_008]) {
      const used = new Set(Array.from({ length: 12 }, (_, at) => colourIndex(first + at)));
      expect(used.size).toBe(12);
    }
  });

  it('uses all colours about equally often, and not in a fixed order', () => {
    const counts = new Array<number>(COLOURS.length).fill(0);
    const starts = new Set<number>();
    for (let label = 0; label < 12_000; label++) {
      const index = colourIndex(label);
      counts[index] = (counts[index] ?? 0) + 1;
      if (label % 12 === 0) starts.add(index);
    }
    expect(counts).toEqual(new Array<number>(12).fill(1000));
    expect(starts.size).toBe(12);
  });

  it('is stable for the largest label that a tile can hold', () => {
    expect(colourIndex(0xffffff)).toBe(colourIndex(0xffffff));
    expect(COLOURS[colourIndex(0xffffff)]).toBeDefined();
  });

  it('packs pixels with red in the lowest byte', () => {
    const bytes = new Uint8Array(PIXELS.buffer, 0, 4);
    const first = Number.parseInt(COLOURS[0].slice(1), 16);
    expect([...bytes]).toEqual([first >> 16, (first >> 8) & 0xff, first & 0xff, 0xff]);
  });
});
