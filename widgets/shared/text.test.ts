import { expect, it } from 'vitest';
import { tickText } from '../scatter/drawing';
import { grouped } from './text';

const VALUES = [0, 1, 12, 999, 1000, 12_345, 999_999.4, 999_999.6, 1_061_277, 1e12, -0.5, -1, -999, -1000, -1_234_567.8, 0.0004, 2.5];

it('groups digits as the browser does', () => {
  for (const value of VALUES) {
    expect(grouped(value)).toBe(value.toLocaleString('en', { maximumFractionDigits: 0 }));
    for (const digits of [0, 1, 3, 5]) {
      expect(tickText(value, digits)).toBe(value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
    }
  }
  expect([1, 50, 1600].map(grouped)).toEqual(['1', '50', '1,600']);
});
