import { describe, expect, it } from 'vitest';
import { drawCells, drawFrom, drawPerRun, freshSeed, Random, runOf } from './draw';

describe('random numbers', () => {
  it('are those of sfc32, from a seed', () => {
    const random = new Random(1);
    expect(Array.from({ length: 4 }, () => random.next())).toEqual([2677044200, 355546957, 1053930227, 1322709710]);
  });

  it('differ between seeds and between streams', () => {
    const firsts = [new Random(1), new Random(2), new Random(1, 1), new Random(2 ** 32 - 1)].map((random) => random.next());
    expect(new Set(firsts).size).toBe(4);
  });

  it('below an end are as likely each', () => {
    const random = new Random(5);
    const counts = new Array<number>(7).fill(0);
    for (let at = 0; at < 70_000; at++) {
      const number = random.below(7);
      counts[number] = (counts[number] ?? 0) + 1;
    }
    // Chi squared with 6 degrees of freedom: above 22.5 once in a thousand times.
    expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5);
  });

  it('leave out what would favour some', () => {
    // Of 2 ** 32 numbers, those above twice 2 ** 31 - 1 have no partner.
    const random = new Random(3);
    const end = 2 ** 31 - 1;
    for (let at = 0; at < 1000; at++) expect(random.below(end)).toBeLessThan(end);
  });
});

describe('a draw', () => {
  it('of a seed is always the same', () => {
    expect(drawCells(1_061_277, 10_000, 7).slice(0, 6)).toEqual([505996, 858168, 533106, 405880, 65311, 596614]);
    expect(drawCells(5, 10_000, 7)).toEqual([4, 0, 3, 1, 2]);
    const runs = [{ run: 1, first: 0, cells: 1000 }, { run: 2, first: 1000, cells: 3 }, { run: 4, first: 1003, cells: 500 }];
    expect(drawPerRun(runs.map((run) => ({ ...run, passage: null })), 4, 7)).toEqual([919, 676, 18, 448, 1002, 1001, 1000, 1025, 1075, 1136, 1049]);
  });

  it('has none twice, and all where there are no more', () => {
    const drawn = drawCells(1_061_277, 10_000, 12);
    expect(new Set(drawn).size).toBe(10_000);
    expect(Math.max(...drawn)).toBeLessThan(1_061_277);
    expect([...drawCells(2_445, 10_000, 12)].sort((a, b) => a - b)).toEqual(Array.from({ length: 2_445 }, (_, at) => at));
  });

  it('takes every cell as often, at every place', () => {
    const [cells, count, draws] = [10, 4, 20_000];
    const random = new Random(9);
    const taken = Array.from({ length: count }, () => new Array<number>(cells).fill(0));
    for (let draw = 0; draw < draws; draw++) {
      drawFrom(cells, count, random).forEach((cell, place) => {
        const row = taken[place] ?? [];
        row[cell] = (row[cell] ?? 0) + 1;
      });
    }
    const expected = draws / cells;
    for (const row of taken) {
      // Chi squared with 9 degrees of freedom: above 27.9 once in a thousand times.
      expect(row.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0)).toBeLessThan(27.9);
    }
  });

  it('takes the time of the draw, not of the total', () => {
    const before = performance.now();
    drawCells(1e9, 10_000, 3);
    expect(performance.now() - before).toBeLessThan(500);
  });

  it('per run is of each run as many, or all, and depends on no other run', () => {
    const runs = [
      { run: 1, passage: null, first: 0, cells: 1000 },
      { run: 2, passage: null, first: 1000, cells: 30 },
      { run: 4, passage: null, first: 1030, cells: 500 },
    ];
    const drawn = drawPerRun(runs, 100, 7);
    expect(drawn.length).toBe(230);
    expect(drawn.slice(0, 100).every((cell) => cell < 1000)).toBe(true);
    expect([...drawn.slice(100, 130)].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, at) => 1000 + at));
    expect(drawPerRun(runs.slice(2), 100, 7)).toEqual(drawn.slice(130));
  });

  it('that is new has a seed that an address can hold', () => {
    for (let at = 0; at < 100; at++) {
      const seed = freshSeed();
      expect(Number.isInteger(seed) && seed >= 1 && seed < 1_000_000).toBe(true);
    }
  });
});

describe('the run of a cell', () => {
  const runs = [
    { run: 3, passage: null, first: 0, cells: 2 },
    { run: 5, passage: null, first: 2, cells: 1 },
    { run: 9, passage: null, first: 4, cells: 3 },
  ];

  it('is the one whose stretch has it', () => {
    expect([0, 1, 2, 4, 6].map((cell) => runOf(runs, cell))).toEqual([3, 3, 5, 9, 9]);
  });

  it('is not known between runs, after them, or without any', () => {
    expect([runOf(runs, 3), runOf(runs, 7), runOf([], 0)]).toEqual([null, null, null]);
  });
});
