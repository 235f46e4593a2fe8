import { expect, it } from 'vitest';
import { csvText } from './csv';

it('quotes what would break a line, and leaves what is not known empty', () => {
  const rows = [['a, "b"', 12.345678901, 7n, null, Number.NaN], ['plain', 0.1, 2, undefined, true]];
  expect(csvText(['name', 'area_um2', 'roi', 'class', 'rim_um'], rows)).toBe(
    'name,area_um2,roi,class,rim_um\n"a, ""b""",12.34568,7,,\nplain,0.1,2,,true\n',
  );
});
