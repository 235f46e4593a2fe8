import { expect, it } from 'vitest';
import { grouped, groupedTo } from './text';

it('groups digits as the browser does', () => {
  const values = [0, 1, 12, 999, 1000, 12_345, 999_999.4, 999_999.6, 1_061_277, 1e12, -1, -999, -1000, -1_234_567.8, 0.0004, 2.5];
  for (const value of values) {
    for (const digits of [0, 1, 3]) {
      expect(groupedTo(digits, value)).toBe(value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
    }
  }
  expect([1, 50, 1600].map(grouped)).toEqual(['1', '50', '1,600']);
});
