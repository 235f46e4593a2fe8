import { describe, expect, it } from 'vitest';
import { Live, plane } from './live';

/** Numbers deflated without being compressed, in base 64. */
function packed(numbers: number[]): string {
  let [low, high] = [1, 0];
  for (const number of numbers) {
    low += number;
    high += low;
  }
  const bytes = [0x78, 1, 1, numbers.length, 0, 255 - numbers.length, 255, ...numbers, high >> 8, high & 255, low >> 8, low & 255];
  return btoa(String.fromCharCode(...bytes));
}

const FILE = { version: 1, figure: 'x', facts: { at: 3, names: ['a'], bad: [1, 'b'] }, arrays: { image: { shape: [2, 1, 2], data: packed([0, 1, 2, 255]) } } };

describe('the file of a figure', () => {
  it('holds arrays and facts', async () => {
    const live = await Live.parse(JSON.stringify(FILE));
    expect(live.figure).toBe('x');
    expect(live.number('at')).toBe(3);
    expect(live.texts('names')).toEqual(['a']);
    expect([...plane(live.pixels('image'), 1).values]).toEqual([2, 255]);
    expect(live.pixels('image')).toMatchObject({ height: 1, width: 2 });
  });

  it('is refused where something is lacking or damaged', async () => {
    const live = await Live.parse(JSON.stringify(FILE));
    expect(() => live.pixels('other')).toThrow('lacks other');
    expect(() => live.numbers('bad')).toThrow('lacks bad');
    const short = { ...FILE, arrays: { image: { shape: [2, 2, 2], data: packed([1, 2, 3]) } } };
    await expect(Live.parse(JSON.stringify(short))).rejects.toThrow('lacks an array');
    for (const text of ['', '[]', JSON.stringify({ ...FILE, version: 2 })]) await expect(Live.parse(text)).rejects.toThrow('damaged');
  });
});
