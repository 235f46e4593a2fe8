import { describe, expect, it } from 'vitest';
import { nucleusText, parseNuclei, whyNoCell } from './nuclei';
import { VIEW_STATE } from './viewstate';

const COLUMNS = {
  roi: [4, 2],
  x_px: [10.5, 20],
  y_px: [1, 2],
  area_um2: [100.04, 200],
  mean_intensity: [80.5, null],
  std_intensity: [9.25, null],
  class: [null, 'mitosis'],
};

describe('nuclei', () => {
  it('are read by their numbers, with what is known of them', () => {
    const nuclei = parseNuclei(JSON.stringify({ columns: COLUMNS }));
    expect(nuclei.all.map(({ roi }) => roi)).toEqual([2, 4]);
    expect(nuclei.get(4)).toMatchObject({ x: 10.5, y: 1, areaUm2: 100.04, kind: null });
    expect(nucleusText(nuclei.all[0] ?? expect.fail())).toBe('200 µm² · mitosis');
    expect(nucleusText(nuclei.all[1] ?? expect.fail())).toBe('100 µm² · mean 80.5 ± 9.25');
    expect(nuclei.get(3)).toBeNull();
  });

  it('follow one another round and round', () => {
    const nuclei = parseNuclei(JSON.stringify({ columns: COLUMNS }));
    expect([nuclei.next(2, 1), nuclei.next(4, 1), nuclei.next(2, -1)]).toEqual([4, 2, 4]);
    // None is chosen yet.
    expect([nuclei.next(0, 1), nuclei.next(0, -1)]).toEqual([2, 4]);
    expect(parseNuclei('{"columns": {"roi": []}}').next(0, 1)).toBeNull();
  });

  it.each(['', '{"columns"', '[]', '{"columns": {"roi": 3}}', '{"columns": {"roi": [1], "x_px": ["a"], "y_px": [2]}}'])(
    'are refused where damaged: %s',
    (text) => {
      expect(() => parseNuclei(text)).toThrow('damaged');
    },
  );
});

describe('a nucleus gives no cell', () => {
  const size = { width: 1000, height: 800 };
  const why = (left: number | null, top: number | null, width: number, height: number) => {
    const [nucleus] = parseNuclei(JSON.stringify({
      columns: { roi: [1], x_px: [9], y_px: [9], left_px: [left], top_px: [top], width_px: [width], height_px: [height] },
    })).all;
    return whyNoCell(nucleus ?? expect.fail(), size);
  };

  it('where an edge of its panorama cuts it', () => {
    for (const [left, top] of [[0, 9], [9, 0], [900, 9], [9, 700]] as const) expect(why(left, top, 100, 100)).toContain('edge');
    expect(why(1, 1, 100, 100)).toBeNull();
    expect(why(899, 699, 100, 100)).toBeNull();
  });

  it('where it is longer than the diagonal of the frame, and not where its box is unknown', () => {
    expect(why(9, 9, 363, 100)).toContain('larger');
    expect(why(9, 9, 362, 362)).toBeNull();
    expect(why(null, null, 363, 100)).toBeNull();
  });
});

describe('state of a view', () => {
  it('takes only what can be shown', () => {
    expect(VIEW_STATE.contrast.parse('10,200,0.5')).toEqual([10, 200, 0.5]);
    for (const text of ['200,10,1', '0,256,1', '0,255,0', '0,255,9', '-1,255,1']) expect(VIEW_STATE.contrast.parse(text)).toBeUndefined();
    expect(VIEW_STATE.view.parse('1,2,0')).toBeUndefined();
    expect(VIEW_STATE.colour.parse('jet')).toBeUndefined();
    expect(VIEW_STATE.opacity.parse('0')).toBe(0);
    expect(VIEW_STATE.opacity.format(null)).toBe('');
  });
});
