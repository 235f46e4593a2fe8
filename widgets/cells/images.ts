import type { Images } from './source';
import { spansOf, type Place, type Shards } from './shards';

/** Requests to the host at once; those behind them can still be given up without a word. */
const AT_ONCE = 16;
/** A cell that only flies past is not asked for. */
const DWELL_MS = 80;
/**
 * What is on its way is given up when nobody has wanted it for so long: small answers come within that time, and to break
 * one off costs HTTP/1 a connection.
 */
const GRACE_MS = 200;

interface Job {
  control: AbortController;
  images: number[];
  started: boolean;
  /** Whether it is about to be given up. */
  late: boolean;
}

/**
 * The images of the cells that are in view: fetched when they are wanted, given up when they are no longer, and kept as
 * long as there is room.
 */
export class CellImages implements Images {
  private readonly kept = new Map<number, Uint8Array>();
  /** Those wanted that are neither there nor on their way, with the time from which they were. */
  private waiting = new Map<number, number>();
  private wanted = new Set<number>();
  private readonly jobs = new Set<Job>();
  private readonly failed = new Set<number>();
  private readonly queue: (() => void)[] = [];
  private busy = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly shards: Shards,
    /** Images that are kept. */
    private readonly most: number,
    private readonly arrived: (image: number) => void,
    signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => {
      clearTimeout(this.timer);
      this.want([]);
    });
  }

  get side(): number {
    return this.shards.layout.side;
  }

  /** How many of those wanted could not be loaded. */
  get missing(): number {
    return [...this.wanted].filter((image) => this.failed.has(image)).length;
  }

  get(image: number): Uint8Array | 'failed' | null {
    const pixels = this.kept.get(image);
    if (!pixels) return this.failed.has(image) ? 'failed' : null;
    this.kept.delete(image);
    this.kept.set(image, pixels); // the last used comes last
    return pixels;
  }

  /** Sets which images are to be there, the most urgent first; requests that hold none of them are given up. */
  want(images: number[]): void {
    this.wanted = new Set(images);
    const coming = new Set<number>();
    for (const job of this.jobs) {
      for (const image of job.images) coming.add(image);
      if (!job.late && !job.images.some((image) => this.wanted.has(image))) this.giveUp(job);
    }
    const before = this.waiting;
    const now = performance.now();
    const absent = images.filter((image) => !this.kept.has(image) && !coming.has(image) && !this.failed.has(image));
    this.waiting = new Map(absent.map((image) => [image, before.get(image) ?? now]));
    if (this.waiting.size > 0) this.timer ??= setTimeout(() => { this.begin(); }, DWELL_MS);
  }

  /** Tries again what failed. */
  retry(): void {
    this.failed.clear();
    this.want([...this.wanted]);
  }

  private begin(): void {
    this.timer = undefined;
    const due = performance.now() - DWELL_MS + 1;
    const groups = new Map<number, number[]>();
    for (const [image, since] of this.waiting) {
      if (since > due) continue;
      this.waiting.delete(image);
      const shard = this.shards.shardOf(image);
      groups.set(shard, [...(groups.get(shard) ?? []), image]);
    }
    for (const [shard, images] of groups) void this.find(shard, images);
    if (this.waiting.size > 0) this.timer = setTimeout(() => { this.begin(); }, DWELL_MS);
  }

  /** Finds where a shard has images, and fetches them. */
  private find(shard: number, images: number[]): Promise<void> {
    return this.run({ control: new AbortController(), images, started: false, late: false }, false, async ({ signal }) => {
      const places = await this.shards.places(shard, images, signal);
      return () => {
        const wanted = [...places].filter(([image]) => this.wanted.has(image));
        for (const [image, place] of wanted) if (!place) this.take(image, new Uint8Array(this.side ** 2));
        for (const span of spansOf(wanted)) void this.fetch(shard, span, places);
      };
    });
  }

  private fetch(shard: number, { from, to, images }: { from: number; to: number; images: number[] }, places: Map<number, Place>): Promise<void> {
    return this.run({ control: new AbortController(), images, started: false, late: false }, true, async ({ signal }) => {
      const bytes = await this.shards.bytes(shard, from, to, signal);
      return () => {
        for (const image of images) {
          const place = places.get(image);
          if (place) void this.decode(image, bytes.subarray(place.from - from, place.to - from));
        }
      };
    });
  }

  private async decode(image: number, stored: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      this.take(image, await this.shards.decode(stored));
    } catch {
      this.lose([image]);
    }
  }

  /** Does a job when its turn comes; bytes of images go before further indexes. */
  private async run(job: Job, first: boolean, work: (job: { signal: AbortSignal }) => Promise<() => void>): Promise<void> {
    const { signal } = job.control;
    this.jobs.add(job);
    await this.turn(first);
    try {
      if (signal.aborted) return;
      job.started = true;
      const next = await work({ signal });
      this.jobs.delete(job);
      next();
    } catch {
      if (!signal.aborted) this.lose(job.images);
    } finally {
      this.jobs.delete(job);
      this.busy -= 1;
      this.queue.shift()?.();
    }
  }

  private async turn(first: boolean): Promise<void> {
    if (this.busy >= AT_ONCE) {
      await new Promise<void>((go) => {
        if (first) this.queue.unshift(go);
        else this.queue.push(go);
      });
    }
    this.busy += 1;
  }

  private giveUp(job: Job): void {
    if (!job.started) {
      this.jobs.delete(job);
      job.control.abort();
      return;
    }
    job.late = true;
    setTimeout(() => {
      job.late = false;
      if (job.images.some((image) => this.wanted.has(image))) return;
      this.jobs.delete(job);
      job.control.abort();
    }, GRACE_MS);
  }

  private lose(images: number[]): void {
    for (const image of images) {
      this.failed.add(image);
      this.arrived(image);
    }
  }

  private take(image: number, pixels: Uint8Array): void {
    this.kept.set(image, pixels);
    if (this.kept.size > this.most) {
      const [oldest] = this.kept.keys();
      if (oldest !== undefined) this.kept.delete(oldest);
    }
    this.arrived(image);
  }
}
