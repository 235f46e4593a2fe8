import type { Runner } from './pool';

/** By how much an output may differ from WebAssembly's: `nnbook.segmentation.export.TOLERANCE`. */
const TOLERANCE = 1e-3;

/** A card that takes longer than this for a tile has hung; the first one has its shaders compiled as well. */
const MOST_MS = 60_000;

/** A tile as the network takes it. */
export interface TileInput {
  data: Float32Array<ArrayBuffer>;
  width: number;
  height: number;
}

/** The graphics card failed at a tile, or before. */
export class CardProblem extends Error {}

interface Proof {
  /** Why the card is not used for tiles of this size; empty where it is. */
  verdict: Promise<string>;
  /** The verdict, once it is there. */
  known: string | null;
  /** How long WebAssembly took for the tile. */
  processorMs: Promise<number>;
}

/**
 * The network on a graphics card, by WebGPU. Shaders depend on the card, its driver and the size of a tile; so the card has to
 * compute one tile of each size as WebAssembly does, and in less time, before it is used for tiles of that size.
 */
export class WebGpu {
  private started: Promise<Runner> | null = null;
  private readonly proofs = new Map<string, Proof>();
  private problem = '';

  constructor(private readonly start: () => Promise<Runner>) {}

  /** Why tiles of a size are not run by the card, as far as is known: empty where it was not tried. */
  reason(size: { width: number; height: number }): string {
    return this.problem || (this.proofs.get(sizeOf(size))?.known ?? '');
  }

  /** What runs tiles of a size; null where the card has not proved itself for them. */
  proved(size: { width: number; height: number }): Runner | null {
    return this.problem === '' && this.proofs.get(sizeOf(size))?.known === '' ? this.runner : null;
  }

  /** Has the card prove itself on the first of so many tiles, unless it would take longer than WebAssembly for all of them. */
  async provedInTime(tile: TileInput, count: number, processor: Runner): Promise<Runner | null> {
    const { processorMs, verdict } = this.prove(tile, processor);
    const late = processorMs.then((ms) => new Promise((resolve) => setTimeout(resolve, ms * Math.max(0, count / processor.size - 1))));
    await Promise.race([verdict, late.catch(() => undefined)]);
    return this.proved(tile);
  }

  /** Computes a tile on both, once for each size of tiles. */
  prove(tile: TileInput, processor: Runner): Proof {
    const size = sizeOf(tile);
    const found = this.proofs.get(size);
    if (found) return found;
    const expected = timed(processor, tile);
    const verdict = this.compare(tile, expected, processor.size).then((known) => (proof.known = known));
    const proof: Proof = { verdict, known: null, processorMs: expected.then(({ ms }) => ms) };
    proof.processorMs.catch(() => this.proofs.delete(size)); // it says nothing of the card
    this.proofs.set(size, proof);
    return proof;
  }

  /** Lets go of the card, and of its memory. */
  end(): void {
    this.started?.then(
      (runner) => {
        runner.end();
      },
      () => undefined,
    );
    this.started = null;
    this.proofs.clear();
  }

  private get runner(): Runner {
    return {
      size: 1,
      run: async (data, width, height) => {
        try {
          return await inTime((await this.startOnce()).run(data, width, height));
        } catch (error) {
          this.stop('the graphics card stopped working');
          throw new CardProblem(error instanceof Error ? error.message : String(error));
        }
      },
      end: () => {
        this.end();
      },
    };
  }

  private startOnce(): Promise<Runner> {
    return (this.started ??= this.start());
  }

  private async compare(tile: TileInput, expected: Promise<Timed>, processors: number): Promise<string> {
    const started = this.startOnce();
    let made: Timed;
    let again: Timed;
    try {
      const card = await started;
      made = await inTime(timed(card, tile));
      again = await inTime(timed(card, tile)); // its shaders have been compiled
    } catch {
      return this.started === started ? this.stop('the graphics card could not be used') : NOT_TRIED;
    }
    const { ms, output } = await expected.catch(() => ({ ms: 0, output: null }));
    if (!output) return NOT_TRIED;
    if (!isClose(made.output, output) || !isClose(again.output, output)) return this.stop('the graphics card computed something else');
    return again.ms < ms / processors ? '' : 'the graphics card was slower';
  }

  /** Does without the card from now on. */
  private stop(reason: string): string {
    this.problem ||= reason;
    this.end();
    return this.problem;
  }
}

/** The work was ended before. */
const NOT_TRIED = 'the graphics card was not tried';

interface Timed {
  output: Float32Array;
  ms: number;
}

async function timed(runner: Runner, { data, width, height }: TileInput): Promise<Timed> {
  const start = performance.now();
  const output = await runner.run(data.slice(), width, height);
  return { output, ms: performance.now() - start };
}

async function inTime<Made>(work: Promise<Made>): Promise<Made> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('no answer'));
    }, MOST_MS);
  });
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}

function isClose(made: Float32Array, expected: Float32Array): boolean {
  return made.length === expected.length && made.every((value, at) => Math.abs(value - (expected[at] ?? NaN)) <= TOLERANCE);
}

function sizeOf({ width, height }: { width: number; height: number }): string {
  return `${width} x ${height}`;
}
