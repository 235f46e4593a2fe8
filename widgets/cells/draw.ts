/** The runs of an edition, each a stretch of its cells. */
export interface Run {
  run: number;
  passage: string | null;
  /** Its first cell. */
  first: number;
  cells: number;
}

/**
 * Random whole numbers from a seed, the same in every browser: sfc32, Chris Doty-Humphrey's small fast counting generator
 * of PractRand, in 32-bit integers. `stream` distinguishes series of one seed.
 */
export class Random {
  private a: number;
  private b: number;
  private c = 0x9e3779b9;
  private count = 1;

  constructor(seed: number, stream = 0) {
    this.a = seed | 0;
    this.b = stream | 0;
    // The first numbers would still show the seed.
    for (let turn = 0; turn < 20; turn++) this.next();
  }

  /** From 0 to before 2 to the power of 32. */
  next(): number {
    const sum = (this.a + this.b + this.count) | 0;
    this.count = (this.count + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 to before `end`, each as likely: numbers beyond the last full multiple of `end` are drawn again. */
  below(end: number): number {
    const fair = 2 ** 32 - (2 ** 32 % end);
    for (;;) {
      const number = this.next();
      if (number < fair) return number % end;
    }
  }
}

/**
 * Draws `count` of the numbers from 0 to before `total`, uniformly and none twice, in random order; all of them, shuffled,
 * where there are no more. Fisher and Yates' shuffle, of which only what has changed places is kept, so that it takes the
 * time of the draw, not of the total.
 */
export function drawFrom(total: number, count: number, random: Random): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: Math.min(count, total) }, (_, at) => {
    const from = at + random.below(total - at);
    const drawn = moved.get(from) ?? from;
    moved.set(from, moved.get(at) ?? at);
    return drawn;
  });
}

/** The cells of a draw over all runs. */
export function drawCells(total: number, count: number, seed: number): number[] {
  return drawFrom(total, count, new Random(seed));
}

/** The cells of a draw of `count` from each run, run after run; what is drawn of a run depends on no other. */
export function drawPerRun(runs: Run[], count: number, seed: number): number[] {
  return runs.flatMap(({ run, first, cells }) => drawFrom(cells, count, new Random(seed, run)).map((at) => first + at));
}

/** A seed for a reader who brings none: short enough to be read out. */
export function freshSeed(): number {
  return 1 + ((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 999_999);
}

/** The run that a cell is of; runs are stretches in ascending order. */
export function runOf(runs: Run[], cell: number): number | null {
  let [low, high] = [0, runs.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const run = runs[middle];
    if (!run) return null;
    if (cell < run.first) high = middle - 1;
    else if (cell >= run.first + run.cells) low = middle + 1;
    else return run.run;
  }
  return null;
}
