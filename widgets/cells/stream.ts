import { StatusError } from '../shared/files';
import type { ListedPanorama } from '../shared/panoramalist';
import { Problem } from '../shared/problem';
import { drawFrom, Random } from './draw';
import { hubFailure, type Block, type HubRow, type HubRows } from './hub';
import type { CellSource, CellTable, Images, Status } from './source';
import type { Facts } from './table';
import { decodeTiff } from './tiff';

/** Cells of a draw. */
const DRAWN = 10_000;
/** Blocks whose cells are mixed, so that what is in view is of more than one; each of the published data set is 6.6 MB. */
const MIXED = 2;
/** Blocks that are fetched at once. */
const AT_ONCE = 2;
/** A block that only flies past is not asked for. */
const DWELL_MS = 150;
/** The pause after too many requests, where the hub names none, and the longest that is waited out. */
const PAUSE_S = 10;
const LONGEST_PAUSE_S = 120;
/** Who keeps as many images keeps all those of a block that has come for some of them: they may be in view next. */
const BLOCKFUL = 200;
/** Width of an image, and of a thumbnail. */
const SIDE = 256;
const SMALL = 64;

const NAME = /^(?:.*\/)?((Run([1-9]\d*)\D.*)_ROI_([1-9]\d*))(?:\.\w+)?$/;

/**
 * Draws cells by a seed: whole blocks, so that few have to be fetched, in random order, and the cells of a few blocks mixed.
 * Where the data set has no more cells than a draw, all of them are in it.
 */
export function drawBlocks(blocks: readonly Block[], seed: number): number[] {
  const random = new Random(seed);
  const order = drawFrom(blocks.length, blocks.length, random).flatMap((at) => blocks[at] ?? []);
  const drawn: number[] = [];
  for (let at = 0; at < order.length && drawn.length < DRAWN; at += MIXED) {
    const cells = order.slice(at, at + MIXED).flatMap(({ first, rows }) => Array.from({ length: rows }, (_, row) => first + row));
    drawn.push(...drawFrom(cells.length, cells.length, random).flatMap((place) => cells[place] ?? []));
  }
  return drawn.slice(0, DRAWN);
}

/** What the published name of a cell's image says of it. */
export function factsOfName(name: string | null): Facts {
  const [, cell = null, panorama = null, run, roi] = NAME.exec(name ?? '') ?? [];
  const number = (text: string | undefined) => (text === undefined ? null : Number(text));
  const measures = new Map<string, number>();
  return { cell: cell ?? name, panorama, roi: number(roi), run: number(run), passage: null, x: null, y: null, measures, kind: null };
}

/** The cells of a data set on a hub, streamed. */
export function streamedCells(
  rows: HubRows,
  pxPerUm: number | null,
  panoramas: () => Promise<Map<string, ListedPanorama>>,
  signal: AbortSignal,
): CellSource {
  const blocks = new Blocks(rows, signal);
  const nowhere = '';
  return {
    collection: {
      note: '',
      cells: rows.rows,
      pxPerUm,
      cellPx: SIDE,
      runs: [],
      images: nowhere,
      thumbnails: nowhere,
      table: nowhere,
      tableBytes: null,
      overview: null,
      draw: null,
      shards: null,
    },
    table: new NameTable(blocks),
    measured: false,
    csv: null,
    draw: (seed) => drawBlocks(rows.blocks, seed),
    images: (size, most, arrived) => new StreamedImages(blocks, size === 'full' ? SIDE : SMALL, most, arrived),
    status: () => blocks.status,
    onStatus: (changed) => {
      blocks.changed = changed;
    },
    panoramas,
  };
}

/** What is known of streamed cells: their names. */
class NameTable implements CellTable {
  constructor(private readonly blocks: Blocks) {}

  measures(): Promise<never[]> {
    return Promise.resolve([]);
  }

  column(): Promise<Float32Array> {
    return Promise.reject(new Problem('This data set has no measurements.'));
  }

  words(): Promise<null> {
    return Promise.resolve(null);
  }

  facts(cell: number): Promise<Facts> {
    return this.blocks.name(cell).then(factsOfName);
  }

  /** Only cells that were in view once are known by name. */
  find(panorama: string, roi: number): Promise<number | null> {
    for (const [cell, name] of this.blocks.names) {
      const facts = factsOfName(name);
      if (facts.panorama === panorama && facts.roi === roi) return Promise.resolve(cell);
    }
    return Promise.resolve(null);
  }
}

interface Consumer {
  readonly side: number;
  readonly wanted: ReadonlySet<number>;
  /** Whether it has an image, or wants none of it. */
  has(image: number): boolean;
  /** Its image, if that is kept. */
  peek(image: number): Uint8Array | undefined;
  /** Takes an image at full size, or keeps one of its own size. */
  take(image: number, pixels: Uint8Array): void;
  keep(image: number, pixels: Uint8Array): void;
  lose(image: number): void;
}

/** Fetches the blocks that hold wanted images, a few at a time, and gives up those that nobody wants any more. */
class Blocks {
  readonly names = new Map<number, string | null>();
  /** Called when the status may be another. */
  changed: () => void = () => undefined;
  private problem = '';
  private readonly consumers = new Set<Consumer>();
  private readonly running = new Map<Block, AbortController>();
  private readonly failed = new Set<Block>();
  private readonly waiting: { cell: number; named: (name: string | null) => void; failed: (error: unknown) => void }[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pausedUntil = 0;

  constructor(
    private readonly rows: HubRows,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => {
      clearTimeout(this.timer);
      for (const control of this.running.values()) control.abort();
    });
  }

  get status(): Status {
    if (this.problem !== '') return { text: this.problem, failed: true };
    return { text: this.running.size > 0 ? `Loading images from ${this.rows.dataset.host} …` : '', failed: false };
  }

  join(consumer: Consumer): void {
    this.consumers.add(consumer);
  }

  /** What is wanted has changed. What one consumer has, another need not wait for. */
  update(): void {
    for (const consumer of this.consumers) {
      for (const image of consumer.wanted) {
        if (consumer.has(image)) continue;
        const other = [...this.consumers].find((one) => one.side === consumer.side && one.peek(image) !== undefined);
        const pixels = other?.peek(image);
        if (pixels) consumer.keep(image, pixels);
      }
    }
    const wanted = new Set(this.wantedBlocks());
    for (const [block, control] of this.running) {
      if (wanted.has(block)) continue;
      this.running.delete(block);
      control.abort();
    }
    this.schedule(DWELL_MS);
  }

  retry(): void {
    this.failed.clear();
    this.problem = '';
    this.update();
  }

  /** Whether the block of an image could not be loaded. */
  lacks(image: number): boolean {
    const block = this.blockOf(image);
    return block !== undefined && this.failed.has(block);
  }

  /** The name of a cell, once its block has come. */
  name(cell: number): Promise<string | null> {
    const name = this.names.get(cell);
    if (name !== undefined) return Promise.resolve(name);
    if (this.lacks(cell)) return Promise.reject(new Problem(this.problem || 'This cell could not be loaded.'));
    return new Promise((named, failed) => {
      this.waiting.push({ cell, named, failed });
    });
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    if (this.signal.aborted) return;
    this.timer = setTimeout(
      () => {
        this.begin();
      },
      Math.max(delay, this.pausedUntil - performance.now()),
    );
  }

  /** The blocks that hold what is wanted and not there, the most urgent first. */
  private wantedBlocks(): Block[] {
    const blocks = new Set<Block>();
    for (const consumer of this.consumers) {
      for (const image of consumer.wanted) {
        const block = consumer.has(image) ? undefined : this.blockOf(image);
        if (block && !this.failed.has(block)) blocks.add(block);
      }
    }
    return [...blocks];
  }

  private blockOf(image: number): Block | undefined {
    const { blocks } = this.rows;
    let [low, high] = [0, blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((blocks[middle]?.first ?? 0) <= image) low = middle;
      else high = middle - 1;
    }
    return blocks[low];
  }

  private begin(): void {
    // A timer may be a little early.
    if (performance.now() < this.pausedUntil) {
      this.schedule(1);
      return;
    }
    for (const block of this.wantedBlocks()) {
      if (this.running.size >= AT_ONCE) return;
      if (!this.running.has(block)) void this.fetch(block);
    }
  }

  private async fetch(block: Block): Promise<void> {
    const control = new AbortController();
    this.running.set(block, control);
    this.changed();
    try {
      const rows = await this.rows.read(block, control.signal);
      await this.takeRows(block, rows, control.signal);
      this.problem = '';
    } catch (error) {
      if (control.signal.aborted) return;
      this.fail(block, error);
    } finally {
      if (this.running.get(block) === control) this.running.delete(block);
      if (!control.signal.aborted) this.schedule(0);
      this.changed();
    }
  }

  private async takeRows(block: Block, rows: HubRow[], signal: AbortSignal): Promise<void> {
    for (const [at, { bytes, name }] of rows.entries()) {
      const image = block.first + at;
      this.names.set(image, name);
      const takers = [...this.consumers].filter((consumer) => !consumer.has(image));
      if (takers.length === 0) continue;
      const pixels = bytes === null ? null : await decodeCell(bytes).catch(() => null);
      if (signal.aborted) return;
      for (const taker of takers) {
        if (pixels) taker.take(image, pixels);
        else if (taker.wanted.has(image)) taker.lose(image);
      }
    }
    this.answer((cell) => this.names.has(cell), ({ cell, named }) => {
      named(this.names.get(cell) ?? null);
    });
  }

  private fail(block: Block, error: unknown): void {
    const { dataset } = this.rows;
    const pause = error instanceof StatusError && error.status === 429 ? (error.retryAfter ?? PAUSE_S) : null;
    this.problem = error instanceof Problem ? error.message : hubFailure(error, dataset);
    const waits = pause !== null && pause <= LONGEST_PAUSE_S;
    if (waits) {
      this.pausedUntil = performance.now() + 1000 * pause;
      this.problem = `${dataset.host} asks for a pause of ${pause} s; the images come after it.`;
    } else {
      this.failed.add(block);
      const lost = (cell: number) => this.blockOf(cell) === block;
      this.answer(lost, ({ failed }) => {
        failed(new Problem(this.problem));
      });
    }
    for (const consumer of this.consumers) {
      for (const image of consumer.wanted) if (this.blockOf(image) === block && !consumer.has(image)) consumer.lose(image);
    }
  }

  private answer(which: (cell: number) => boolean, answer: (one: (typeof this.waiting)[number]) => void): void {
    for (const one of this.waiting.splice(0)) {
      if (which(one.cell)) answer(one);
      else this.waiting.push(one);
    }
  }
}

/** Streamed images in one size. */
class StreamedImages implements Images, Consumer {
  wanted: ReadonlySet<number> = new Set<number>();
  private readonly kept = new Map<number, Uint8Array>();
  private readonly lost = new Set<number>();

  constructor(
    private readonly blocks: Blocks,
    readonly side: number,
    private readonly most: number,
    private readonly arrived: (image: number) => void,
  ) {
    blocks.join(this);
  }

  get missing(): number {
    return [...this.wanted].filter((image) => this.get(image) === 'failed').length;
  }

  get(image: number): Uint8Array | 'failed' | null {
    const pixels = this.kept.get(image);
    if (!pixels) return this.lost.has(image) || this.blocks.lacks(image) ? 'failed' : null;
    this.kept.delete(image);
    this.kept.set(image, pixels); // the last used comes last
    return pixels;
  }

  want(images: number[]): void {
    this.wanted = new Set(images);
    this.blocks.update();
  }

  retry(): void {
    this.lost.clear();
    this.blocks.retry();
  }

  has(image: number): boolean {
    return this.kept.has(image) || this.lost.has(image) || (this.most < BLOCKFUL && !this.wanted.has(image));
  }

  peek(image: number): Uint8Array | undefined {
    return this.kept.get(image);
  }

  take(image: number, pixels: Uint8Array): void {
    this.keep(image, this.side === SIDE ? pixels : reduced(pixels));
  }

  keep(image: number, pixels: Uint8Array): void {
    this.kept.set(image, pixels);
    if (this.kept.size > this.most) {
      const [oldest] = this.kept.keys();
      if (oldest !== undefined) this.kept.delete(oldest);
    }
    this.arrived(image);
  }

  lose(image: number): void {
    // Whether it is lost for good is known by its block; a damaged image is.
    if (!this.blocks.lacks(image) && this.blocks.names.has(image)) this.lost.add(image);
    this.arrived(image);
  }
}

/** The grey levels of a cell's image, a TIFF as published, or whatever else the browser reads. */
async function decodeCell(file: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const isTiff = (file[0] === 0x49 && file[1] === 0x49) || (file[0] === 0x4d && file[1] === 0x4d);
  const { width, height, pixels } = isTiff ? await decodeTiff(file) : await decodeByBrowser(file);
  if (width !== SIDE || height !== SIDE) throw new Error('an image of another size');
  return pixels;
}

async function decodeByBrowser(file: Uint8Array<ArrayBuffer>) {
  const bitmap = await createImageBitmap(new Blob([file]), { colorSpaceConversion: 'none' });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (!context) throw new Error('no 2D canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, pixels: Uint8Array.from({ length: width * height }, (_, at) => data[4 * at] ?? 0) };
}

/** An image at a quarter of its size, each pixel the mean of 4 by 4. */
export function reduced(pixels: Uint8Array): Uint8Array {
  const step = SIDE / SMALL;
  const sums = new Uint16Array(SMALL * SMALL);
  for (let at = 0; at < pixels.length; at++) {
    const place = Math.floor(at / SIDE / step) * SMALL + Math.floor((at % SIDE) / step);
    sums[place] = (sums[place] ?? 0) + (pixels[at] ?? 0);
  }
  return Uint8Array.from(sums, (sum) => Math.round(sum / step ** 2));
}
