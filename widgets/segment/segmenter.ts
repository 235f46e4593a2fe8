import { decode, type Decoded } from './decode';
import { estimateDiameter } from './diameter';
import { Display, TILE_SIDE } from './display';
import { logitOf, type Output } from './dynamics';
import { Edits } from './edits';
import { FileProblem } from './fileproblem';
import { kept } from './kept';
import { FullMasks, smallMasks, type Nucleus, type Seen } from './masks';
import { savedFile } from './outputs';
import { cut, type Box, type Floats, type Image } from './plane';
import { DARK_REMARK, hasDarkNuclei } from './polarity';
import { NetworkPool, type Runner } from './pool';
import type { Answer, Choice, Edit, FileKind, Methods, Opened, Parts, Segmented, Settings } from './protocol';
import { greyRange, rescale } from './scale';
import { networkSize, NOTHING_SEEN, PYTHON_TILE_PX, Tiling, type Tile } from './tiles';
import { CardProblem, WebGpu, type TileInput } from './webgpu';

/** Of an image of more tiles than that, a small part in the middle of the view is segmented first, to be seen soon. */
const FEW_TILES = 4;
const PREVIEW_PX = 240;
/** An image of more pixels than that at the network's scale is large: a panorama has three times as many. */
const LARGE_PX = 2_000_000;
const MOST_WORKERS = 4;

/** Masks of the part that the network has seen, at its scale, while it goes on. */
interface Early {
  grey: Floats;
  image: Image;
  settings: Settings;
  diameter: number;
  labels: Int32Array;
  logit: Float32Array;
  /** The highest label so far. */
  count: number;
}

/** What stops work that is not wanted any more. */
class Canceled extends Error {}

/** The worker's side: the image, the network's output, and the masks. */
export class Segmenter implements AsyncMethods {
  private image: Image | null = null;
  private name = '';
  private display: Display | null = null;
  private range: [number, number] | null = null;
  private seen: Seen | null = null;
  private masks: FullMasks | null = null;
  private edits: Edits | null = null;
  private nuclei: Nucleus[] = [];
  private diameter = 0;
  private seconds = 0;
  private version = 0;
  private round = 0;
  private device = '';
  private pool: Promise<NetworkPool> | null = null;
  private webgpu: WebGpu | null = null;

  constructor(
    private readonly address: string,
    private readonly say: (answer: Answer) => void,
  ) {}

  async open(file: Blob | null, name: string, choice: Choice | null): Promise<Opened> {
    if (!file) throw new Canceled();
    this.round++;
    this.image = this.display = this.range = this.seen = this.masks = this.edits = null;
    this.nuclei = [];
    this.progress('Reading the image', 0);
    const decoded: Decoded = await decode(file, name, choice);
    const { image } = decoded;
    this.image = image;
    this.name = name;
    this.display = new Display(image);
    const { width, height } = image;
    return { ...decoded, name, width, height, range: this.display.range, image: undefined } as Opened;
  }

  tile(level: number, column: number, row: number): ReturnType<Methods['tile']> {
    if (!this.display) throw new Canceled();
    return this.display.tile(level, column, row);
  }

  labels(version: number, level: number, column: number, row: number): ReturnType<Methods['labels']> {
    const { image, masks } = this;
    if (!image || !masks || version !== this.version) throw new Canceled();
    const shrink = 2 ** (Math.ceil(Math.log2(Math.max(image.width, image.height, 1))) - level);
    const [left, top] = [column * TILE_SIDE * shrink, row * TILE_SIDE * shrink];
    const width = Math.min(TILE_SIDE, Math.ceil(image.width / shrink) - column * TILE_SIDE);
    const height = Math.min(TILE_SIDE, Math.ceil(image.height / shrink) - row * TILE_SIDE);
    const part = masks.part(left, top, width, height, shrink);
    this.edits?.apply(part, left, top, shrink);
    return { width, height, labels: new Uint32Array(part.data.buffer as ArrayBuffer) };
  }

  grey(x: number, y: number): number {
    return this.image?.data[y * this.image.width + x] ?? 0;
  }

  async segment(parts: Parts, settings: Settings, middle: [number, number]): Promise<Segmented> {
    const image = this.wanted();
    const round = ++this.round;
    const start = performance.now();
    const pool = this.network(parts);
    // Its failure is reported where it is waited for.
    pool.catch(() => undefined);
    this.seen = this.masks = this.edits = null;
    this.nuclei = [];
    this.progress('Measuring grey levels', 0);
    await pause();
    const greys = this.greysOf(image);
    const run = async (part: Floats) => {
      const tiling = new Tiling(part, PYTHON_TILE_PX);
      const ready = await pool;
      await Promise.all(tiling.tiles.map((tile) => this.runTile(ready, tiling, tile, round)));
      return tiling.output();
    };
    let found = greys[0] === greys[1] ? 0 : (settings.diameter ?? 0);
    if (greys[0] !== greys[1] && settings.diameter === null) {
      this.progress('Looking for the diameter', 0);
      found = await estimateDiameter(image, greys, run, parts.diamMean, { flow: 0.5, cellprob: -2 });
    }
    this.check(round);
    this.diameter = found;
    this.device = '';
    if (found === 0) return this.finish(start);
    const size = networkSize(image, parts.diamMean / found);
    if (!size) {
      throw new FileProblem(`With a diameter of ${found.toFixed(1)} px the image would be too large for the network; give the nuclei's true diameter in px.`);
    }
    this.progress('Loading the network', 0);
    const grey = rescale(image, size, ...greys);
    const ready = await pool;
    this.check(round);
    const area = size.width * size.height;
    const early: Early = { grey, image, settings, diameter: parts.diamMean, labels: new Int32Array(area), logit: new Float32Array(area).fill(NOTHING_SEEN), count: 0 };
    const tiling = await this.runImage(ready, early, round, middle);
    this.check(round);
    this.seen = { output: tiling.output(), grey, diameter: parts.diamMean };
    if (area > LARGE_PX) {
      // Masks of a panorama need the memory that the network has.
      ready.end();
      this.pool = null;
      this.webgpu?.end();
    }
    return this.makeMasks(settings, round, start);
  }

  async rethreshold(settings: Settings): Promise<Segmented> {
    const round = ++this.round;
    return this.makeMasks(settings, round, performance.now());
  }

  cancel(): null {
    this.round++;
    return null;
  }

  edit(edit: Edit): Promise<Segmented> {
    const { edits, image } = this;
    if (!edits || !image) throw new Canceled();
    edits.add(edit);
    return this.measured(++this.round);
  }

  undo(): Promise<Segmented> {
    this.edits?.undo();
    return this.measured(++this.round);
  }

  redo(): Promise<Segmented> {
    this.edits?.redo();
    return this.measured(++this.round);
  }

  async save(kind: FileKind, pxPerUm: number | null): Promise<Blob> {
    const { edits, masks, name, nuclei } = this;
    const image = this.wanted();
    const rows = (top: number, count: number) => {
      const part = masks?.part(0, top, image.width, count) ?? { width: image.width, height: count, data: new Int32Array(image.width * count) };
      edits?.apply(part, 0, top, 1);
      return part;
    };
    return savedFile(kind, { name, width: image.width, height: image.height, nuclei, rows, pxPerUm }, pause);
  }

  /** The image's range of grey levels; says once what there is to be said of them. */
  private greysOf(image: Image): [number, number] {
    if (this.range) return this.range;
    const range = greyRange(image);
    this.range = range;
    if (hasDarkNuclei(image, range)) this.say({ remark: DARK_REMARK });
    return range;
  }

  private wanted(): Image {
    if (!this.image) throw new Canceled();
    return this.image;
  }

  /** Loads what runs the network, once, and starts its workers. */
  private network(parts: Parts): Promise<NetworkPool> {
    this.pool ??= this.startNetwork(parts).catch((error: unknown) => {
      this.pool = null; // may be tried again
      throw error;
    });
    const { webgpu } = parts;
    if (webgpu) this.webgpu ??= new WebGpu(() => startCard(parts, webgpu));
    return this.pool;
  }

  private async startNetwork(parts: Parts): Promise<NetworkPool> {
    const [runtime, model] = await Promise.all([kept(parts.runtime, 'What runs the model'), kept(parts.model, 'The model', parts.modelSha256)]);
    const count = Math.min(MOST_WORKERS, Math.max(2, navigator.hardwareConcurrency - 1));
    try {
      // A page that is a file gives workers no address of its own things.
      const address = typeof parts.worker === 'string' ? this.address : URL.createObjectURL(parts.worker);
      return await NetworkPool.start(address, count, { runtime, model });
    } catch (error) {
      throw new FileProblem(`The model can't be started in this browser (${error instanceof Error ? error.message.slice(0, 160) : ''}); it needs WebAssembly with SIMD, and some 500 MB of memory.`);
    }
  }

  /** Runs the network over an image: all of its tiles on the graphics card, where that has proved itself, or all on the processor. */
  private async runImage(pool: NetworkPool, early: Early, round: number, middle: [number, number]): Promise<Tiling> {
    const tiling = new Tiling(early.grey, PYTHON_TILE_PX);
    const count = tiling.tiles.length;
    if (count > FEW_TILES) await this.preview(pool, early, round, middle);
    const { webgpu } = this;
    const [tile] = tiling.tiles;
    if (!webgpu || !tile) return this.runOnProcessor(pool, tiling, early, round, middle);
    const first: TileInput = { data: tiling.input(tile) as Float32Array<ArrayBuffer>, width: tile.width, height: tile.height };
    let card = webgpu.proved(tile);
    if (!card && count > pool.size && webgpu.reason(tile) === '') {
      this.progress('Checking the graphics card', 0);
      card = await webgpu.provedInTime(first, count, pool);
      this.check(round);
    }
    if (!card) {
      const done = await this.runOnProcessor(pool, tiling, early, round, middle);
      // The processor has no more to do for few tiles than for one: the card proves itself for the next image.
      if (webgpu.reason(tile) === '') void webgpu.prove(first, pool);
      return done;
    }
    try {
      await this.runAll(card, tiling, early, round, middle);
      this.device = 'on the graphics card';
      return tiling;
    } catch (error) {
      if (!(error instanceof CardProblem)) throw error;
      this.check(round);
      this.say({ remark: 'The graphics card stopped working; this image and the next ones are computed by the processor.' });
      return this.runOnProcessor(pool, new Tiling(early.grey, PYTHON_TILE_PX), early, round, middle);
    }
  }

  private async runOnProcessor(pool: NetworkPool, tiling: Tiling, early: Early, round: number, middle: [number, number]): Promise<Tiling> {
    await this.runAll(pool, tiling, early, round, middle);
    const [tile] = tiling.tiles;
    const reason = tile ? (this.webgpu?.reason(tile) ?? '') : '';
    this.device = `on the processor${reason === '' ? '' : ` (${reason})`}`;
    return tiling;
  }

  private async runTile(pool: Runner, tiling: Tiling, tile: Tile, round: number): Promise<Float32Array> {
    if (round !== this.round) throw new Canceled();
    const output = await pool.run(tiling.input(tile) as Float32Array<ArrayBuffer>, tile.width, tile.height);
    if (round !== this.round) throw new Canceled();
    tiling.add(tile, output);
    return output;
  }

  /** Segments a small part in the middle of the view, before the whole is begun. */
  private async preview(pool: Runner, early: Early, round: number, [x, y]: [number, number]): Promise<void> {
    const { grey } = early;
    const scale = grey.width / early.image.width;
    const start = (place: number, length: number) => Math.max(0, Math.min(length - PREVIEW_PX, Math.round(place * scale - PREVIEW_PX / 2)));
    const [left, top] = [start(x, grey.width), start(y, grey.height)];
    const box = { left, top, right: Math.min(grey.width, left + PREVIEW_PX), bottom: Math.min(grey.height, top + PREVIEW_PX) };
    this.progress('Segmenting', 0);
    const tiling = new Tiling(cut(grey, box), PYTHON_TILE_PX);
    await Promise.all(tiling.tiles.map((tile) => this.runTile(pool, tiling, tile, round)));
    this.showEarly(early, box, tiling.output());
  }

  /** Runs the network over all tiles, those near the middle of the view first, and shows masks of each that has come. */
  private async runAll(pool: Runner, tiling: Tiling, early: Early, round: number, [x, y]: [number, number]): Promise<void> {
    const scale = early.grey.width / early.image.width;
    const distance = (tile: Tile) => Math.hypot(tile.x + tile.width / 2 - x * scale, tile.y + tile.height / 2 - y * scale);
    const queue = [...tiling.tiles].sort((a, b) => distance(a) - distance(b));
    const count = queue.length;
    let done = 0;
    this.progress('Segmenting', 0);
    const work = async () => {
      for (let tile = queue.shift(); tile; tile = queue.shift()) {
        const made = await this.runTile(pool, tiling, tile, round);
        this.progress('Segmenting', ++done / count);
        if (done === count) continue;
        const { box, output } = tiling.part(tile, made);
        this.showEarly(early, box, output);
      }
    };
    // While a tile is being run, the next one is cut.
    await Promise.all(Array.from({ length: Math.max(2, pool.size) }, work));
  }

  /** Shows masks of what the network has seen so far, without numbers and measures; nuclei that tiles cut are in pieces. */
  private showEarly(early: Early, box: Box, output: Output): void {
    const { grey, image, settings } = early;
    const { labels } = smallMasks({ output, grey: cut(grey, box), diameter: early.diameter }, settings);
    const logit = logitOf(output);
    let count = 0;
    for (let y = 0, from = 0; y < labels.height; y++) {
      for (let x = 0; x < labels.width; x++, from++) {
        const at = (box.top + y) * grey.width + box.left + x;
        const label = labels.data[from] ?? 0;
        count = Math.max(count, label);
        early.logit[at] = logit[from] ?? NOTHING_SEEN;
        early.labels[at] = label === 0 ? 0 : early.count + label;
      }
    }
    early.count += count;
    const found = { width: grey.width, height: grey.height, data: early.labels };
    this.masks = new FullMasks({ labels: found, confidence: new Float64Array() }, early.logit, settings.cellprob, image.width, image.height);
    this.say({ version: ++this.version, nuclei: new Set(early.labels).size - 1 });
  }

  private async makeMasks(settings: Settings, round: number, start: number): Promise<Segmented> {
    const { seen } = this;
    const image = this.wanted();
    if (!seen) return this.finish(start);
    this.progress('Making masks', 0);
    await pause();
    const output: Output = seen.output;
    const small = smallMasks(seen, settings);
    this.masks = new FullMasks(small, logitOf(output), settings.cellprob, image.width, image.height);
    this.edits = new Edits(this.masks, image);
    const steps = this.masks.measure(image);
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        this.nuclei = step.value;
        break;
      }
      this.progress('Measuring nuclei', step.value);
      await pause();
      this.check(round);
    }
    this.edits.begin(this.nuclei);
    return this.finish(start);
  }

  private async measured(round: number): Promise<Segmented> {
    await pause();
    this.check(round);
    this.nuclei = this.edits?.nuclei() ?? this.nuclei;
    return this.finish(performance.now() - this.seconds * 1000);
  }

  private finish(start: number): Segmented {
    const { diameter, nuclei } = this;
    this.seconds = (performance.now() - start) / 1000;
    return { version: ++this.version, nuclei, diameter, seconds: this.seconds, device: `in this browser${this.device && `, ${this.device}`}`, edits: this.edits?.count ?? 0, undone: this.edits?.undone ?? 0 };
  }

  private check(round: number): void {
    if (round !== this.round) throw new Canceled();
  }

  private progress(what: string, share: number): void {
    this.say({ progress: { what, share } });
  }
}

/** Loads what runs the network on a graphics card, and starts its worker. */
async function startCard({ model, modelSha256 }: Parts, { runtime, worker }: NonNullable<Parts['webgpu']>): Promise<Runner> {
  const what = 'What runs the model on a graphics card';
  const [script, binary, network] = await Promise.all([kept(worker, what), kept(runtime, what), kept(model, 'The model', modelSha256)]);
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  return NetworkPool.start(address, 1, { runtime: binary, model: network });
}

type AsyncMethods = { [Name in keyof Methods]: (...given: Parameters<Methods[Name]>) => ReturnType<Methods[Name]> | Promise<ReturnType<Methods[Name]>> };

/** Serves a view's requests. */
export function serveSegmenter(scope: { onmessage: ((event: MessageEvent<{ id: number; method: keyof Methods; given: unknown[] }>) => void) | null; postMessage(message: Answer, transfer?: Transferable[]): void }, address: string): void {
  const segmenter = new Segmenter(address, (answer) => {
    scope.postMessage(answer);
  });
  scope.onmessage = ({ data: { id, method, given } }) => {
    const act = segmenter[method].bind(segmenter) as (...given: unknown[]) => unknown;
    void (async () => {
      try {
        const made = await act(...given);
        scope.postMessage({ id, given: made }, transferable(made));
      } catch (error) {
        if (error instanceof Canceled) scope.postMessage({ id, problem: '', canceled: true });
        else scope.postMessage({ id, problem: wording(error) });
      }
    })();
  };
}

function wording(error: unknown): string {
  if (error instanceof FileProblem) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || /memory|allocat/i.test(text)) return 'This browser has no memory left for an image of this size; close other tabs, or open a part of it.';
  return `This could not be done (${text.split('\n')[0]?.slice(0, 160) ?? ''}); load the page again.`;
}

function transferable(made: unknown): Transferable[] {
  const values = made !== null && typeof made === 'object' ? Object.values(made) : [];
  return values.flatMap((value) => (ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []));
}

/** Lets requests that have come meanwhile be served. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
