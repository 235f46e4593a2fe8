import { describe, expect, it } from 'vitest';
import { Live, plane } from './live';

const FILE = { version: 1, figure: 'x', facts: { at: 3, names: ['a'], bad: [1, 'b'] }, arrays: { image: { shape: [2, 1, 2], data: btoa('\x00\x01\x02\xff') } } };

describe('the file of a figure', () => {
  it('holds arrays and facts', () => {
    const live = Live.parse(JSON.stringify(FILE));
    expect(live.figure).toBe('x');
    expect(live.number('at')).toBe(3);
    expect(live.texts('names')).toEqual(['a']);
    expect([...plane(live.pixels('image'), 1).values]).toEqual([2, 255]);
    expect(live.pixels('image')).toMatchObject({ height: 1, width: 2 });
  });

  it('is refused where something is lacking or damaged', () => {
    const live = Live.parse(JSON.stringify(FILE));
    expect(() => live.pixels('other')).toThrow('lacks other');
    expect(() => live.numbers('bad')).toThrow('lacks bad');
    const short = { ...FILE, arrays: { image: { shape: [2, 2, 2], data: btoa('abc') } } };
    expect(() => Live.parse(JSON.stringify(short))).toThrow('lacks an array');
    for (const text of ['', '[]', JSON.stringify({ ...FILE, version: 2 })]) expect(() => Live.parse(text)).toThrow('damaged');
  });
});
