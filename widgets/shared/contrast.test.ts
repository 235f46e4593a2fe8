import { describe, expect, it } from 'vitest';
import { colourAt, COLOUR_MAPS } from './colourmaps';
import { autoRange, contrastTable, contrastText, isPlain, PLAIN } from './contrast';
import { histogramPath } from './histogram';

const greys = (table: Uint8Array) => Array.from({ length: 256 }, (_, grey) => table[3 * grey] ?? -1);

describe('contrast', () => {
  it('leaves an image as it is where it is plain', () => {
    expect(greys(contrastTable(PLAIN))).toEqual(Array.from({ length: 256 }, (_, grey) => grey));
    expect(isPlain(PLAIN)).toBe(true);
    expect(contrastText(PLAIN)).toBe('');
  });

  it('stretches a range, clips what is beyond it, bends and inverts it', () => {
    const contrast = { ...PLAIN, min: 50, max: 150 };
    const shown = greys(contrastTable(contrast));
    expect([0, 50, 100, 150, 255].map((grey) => shown[grey])).toEqual([0, 0, 128, 255, 255]);
    expect(greys(contrastTable({ ...contrast, gamma: 0.5 }))[100]).toBe(Math.round(255 * Math.SQRT1_2));
    expect(greys(contrastTable({ ...contrast, invert: true }))[150]).toBe(0);
  });

  it('is described in words', () => {
    expect(contrastText({ min: 5, max: 90, gamma: 0.8, invert: true, colour: 'viridis' })).toBe(
      'Shown with grey levels 5 to 90, gamma 0.8, inverted, colours viridis',
    );
  });

  it('fits a range to what is in view, however narrow that is', () => {
    const counts = new Uint32Array(256);
    counts.fill(100, 20, 121);
    expect(autoRange(counts)).toEqual({ min: 20, max: 120 });
    for (const level of [0, 77, 255]) {
      const flat = new Uint32Array(256);
      flat[level] = 9;
      const { min, max } = autoRange(flat);
      expect(min).toBeLessThan(max);
      expect(max).toBeLessThanOrEqual(255);
    }
    expect(autoRange(new Uint32Array(256))).toEqual({ min: 0, max: 255 });
  });
});

describe('colours of grey levels', () => {
  it.each(COLOUR_MAPS)('%s grows lighter evenly, for dichromats too', (map) => {
    const luminance = (level: number) => {
      const [red, green, blue] = colourAt(map, level).map((value) => (value / 255) ** 2.2) as [number, number, number];
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    // A dichromat's lightness lacks one kind of cone: green alone, or red and green in other shares, must grow as well.
    const green = (level: number) => 0.15 * colourAt(map, level)[0] + 0.85 * colourAt(map, level)[1];
    for (let step = 1; step <= 32; step++) {
      expect(luminance(step / 32)).toBeGreaterThan(luminance((step - 1) / 32));
      expect(green(step / 32)).toBeGreaterThan(green((step - 1) / 32));
    }
  });
});

describe('histogram', () => {
  it('is drawn from the left to the right, and not at all without pixels', () => {
    const counts = new Uint32Array(256);
    expect(histogramPath(counts, 48)).toBe('');
    counts[0] = 1000;
    const path = histogramPath(counts, 48);
    expect(path.startsWith('M0 48V0.0H1V48.0H2')).toBe(true);
    expect(path.endsWith('H256V48Z')).toBe(true);
  });
});
