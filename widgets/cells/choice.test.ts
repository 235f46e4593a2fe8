import { describe, expect, it } from 'vitest';
import { readableKind } from '../shared/address';
import { filterText, NO_FILTER, parseFilter, passing, type Filter } from '../shared/filter';
import { binned, extent, namedCells, ordered, orderText, parseOrder } from './choice';

const AREA = Float32Array.of(50, 10, Number.NaN, 30, 20);
const MEAN = Float32Array.of(1, 2, 3, 4, 5);
const COLUMNS = new Map([
  ['area_um2', AREA],
  ['mean_intensity', MEAN],
]);
const KINDS = { names: ['telophase', 'interphase'], codes: Uint16Array.of(2, 2, 1, 0, 1) };
const ALL = [4, 3, 2, 1, 0];

function filter(text: string): Filter {
  const parsed = parseFilter(text);
  if (!parsed) throw new Error(`no filter: ${text}`);
  return parsed;
}

describe('a filter in an address', () => {
  it('is read as it is written', () => {
    for (const text of ['area_um2:10..20', 'area_um2:..20.5', 'mean_intensity:-3..', 'area_um2:1..2;std_intensity:3..;class:telophase']) {
      expect(filterText(filter(text))).toBe(text);
    }
    expect(filterText(NO_FILTER)).toBeNull();
  });

  it.each(['area_um2', 'area_um2:', 'area_um2:..', 'area_um2:1..2..3', 'area_um2:20..10', 'area_um2:a..b', 'area_um2:1e9..', 'area_um2:0x1..',
    'Area:1..2', '__proto__:1..2', 'area_um2:1..2;', ';', 'a:1..2;'.repeat(13)])('is none in %s', (text) => {
    expect(parseFilter(text)).toBeNull();
    expect(readableKind(parseFilter).parse(text)).toBeUndefined();
  });
});

describe('an order in an address', () => {
  it('is read as it is written', () => {
    for (const text of ['area_um2', '-std_intensity']) {
      expect(orderText(parseOrder(text))).toBe(text);
      expect(readableKind(parseOrder).accept(text)).toBe(text);
    }
    for (const text of ['--area', '-', 'a b', 'constructor()', '1']) expect(parseOrder(text)).toBeNull();
  });
});

describe('cells that pass', () => {
  it('are within all ranges, ends included, and keep their order', () => {
    expect(passing(ALL, filter('area_um2:10..30'), COLUMNS, null)).toEqual([4, 3, 1]);
    expect(passing(ALL, filter('area_um2:20..;mean_intensity:..4'), COLUMNS, null)).toEqual([3, 0]);
  });

  it('have a value where a range asks for one', () => {
    expect(passing(ALL, filter('area_um2:0..'), COLUMNS, null)).toEqual([4, 3, 1, 0]);
  });

  it('are of the class', () => {
    expect(passing(ALL, filter('class:telophase'), COLUMNS, KINDS)).toEqual([4, 2]);
    expect(passing(ALL, filter('class:anaphase'), COLUMNS, KINDS)).toEqual([]);
  });

  it('are all where nothing is asked, or the column is not there', () => {
    expect(passing(ALL, NO_FILTER, COLUMNS, KINDS)).toEqual(ALL);
    expect(passing(ALL, filter('std_intensity:1..2'), COLUMNS, null)).toEqual(ALL);
    expect(passing(ALL, filter('area_um2:10..20;mean_intensity:..2'), COLUMNS, null, 'mean_intensity')).toEqual([4, 1]);
  });
});

describe('cells in order', () => {
  it('go by the value, those without one last either way', () => {
    expect(ordered(ALL, { column: 'area_um2', down: false }, COLUMNS)).toEqual([1, 4, 3, 0, 2]);
    expect(ordered(ALL, { column: 'area_um2', down: true }, COLUMNS)).toEqual([0, 3, 4, 1, 2]);
  });

  it('keep the order of the draw where values are equal, or there is no column', () => {
    const columns = new Map([['area_um2', Float32Array.of(1, 1, 1, 0, 1)]]);
    expect(ordered(ALL, { column: 'area_um2', down: false }, columns)).toEqual([3, 4, 2, 1, 0]);
    expect(ordered(ALL, { column: 'gone', down: false }, columns)).toEqual(ALL);
  });
});

describe('a histogram', () => {
  it('counts each value once, the greatest in the last bin', () => {
    expect(extent(ALL, AREA)).toEqual([10, 50]);
    expect([...binned(ALL, AREA, [10, 50], 4)]).toEqual([1, 1, 1, 1]);
    expect(extent([2], AREA)).toBeNull();
    expect([...binned([0, 0], AREA, [50, 50], 3)]).toEqual([2, 0, 0]);
  });
});

describe('cells by name', () => {
  const panoramas = { names: ['Run1TL_top', 'Run11TL_top', 'Run1TL_bottom'], codes: Uint16Array.of(1, 1, 2, 3, 2) };
  const rois = Float32Array.of(1, 2, 2, 2, 7);
  const named = (text: string, most = 99) => namedCells(text, panoramas, rois, most);

  it('are those of all panoramas whose name has the text', () => {
    expect(named('run1tl')).toEqual([0, 1, 3]);
    expect(named('TOP')).toEqual([0, 1, 2, 4]);
    expect(named('top', 2)).toEqual([0, 1]);
    expect(named('nothing')).toEqual([]);
  });

  it('are one where the text is its own name', () => {
    expect(named('Run1TL_top_ROI_2')).toEqual([1]);
    expect(named('top_roi_2')).toEqual([1, 2]);
    expect(namedCells('top', null, rois, 9)).toEqual([]);
  });
});
