import { describe, expect, it } from 'vitest';
import { mistakeAfter, parseComparison, verdicts, wrongMasks, wrongNuclei } from './comparison';

const text = JSON.stringify({
  title: 'A panorama',
  width: 100,
  height: 80,
  px_per_um: 8,
  nuclei: 3,
  methods: [
    { name: 'a', title: 'A', columns: { kind: ['missed', 'merged', 'spurious'], label: [1, 5, 6], x_px: [10, 20, 30], y_px: [50, 20, 40] }, nuclei: { missed: [1], merged: [2, 3] } },
    { name: 'b', title: 'B', columns: {}, nuclei: {} },
  ],
});

describe('methods on the same nuclei', () => {
  it('are read with the truth before them', () => {
    const { methods, width } = parseComparison(text);
    expect(width).toBe(100);
    expect(methods.map(({ name }) => name)).toEqual(['truth', 'a', 'b']);
    expect(methods.map((method) => [...wrongMasks(method)])).toEqual([[], [[5, 'merged'], [6, 'spurious']], []]);
    expect(methods.map((method) => [...wrongNuclei(method)])).toEqual([[], [[1, 'missed']], []]);
  });

  it('are told apart at a nucleus', () => {
    const { methods } = parseComparison(text);
    expect(verdicts(methods, 1)).toBe('missed by A; right with B');
    expect(verdicts(methods, 3)).toBe('merged by A; right with B');
    expect(verdicts(methods, 4)).toBe('right with every method');
  });

  it('have mistakes to go through, either way round', () => {
    const mistakes = parseComparison(text).methods.flatMap((method) => method.mistakes);
    const first = mistakeAfter(mistakes, null, 1);
    expect(first?.kind).toBe('merged');
    expect(mistakeAfter(mistakes, first, 1)?.kind).toBe('spurious');
    expect(mistakeAfter(mistakes, first, -1)?.kind).toBe('missed');
    expect(mistakeAfter([], null, 1)).toBeNull();
  });

  it.each(['', '{}', '{"methods":[]}', '{"methods":[{"name":"a"}]}', '{"methods":[{"name":"../a"}],"width":1,"height":1}'])('are refused where damaged: %s', (damaged) => {
    expect(() => parseComparison(damaged)).toThrow(/damaged/);
  });
});
