import type { Images } from './source';

/** Images of the same cells in two sizes. */
export interface Sizes {
  thumbnails: Images;
  full: Images;
}

export interface GridEvents {
  /** A cell was chosen, at a place of the order. */
  chosen(at: number): void;
  escape(): void;
  /** What is in view has come to rest: the place of the first cell that is. */
  rested(first: number): void;
  /** What a cell is called, at a place of the order. */
  name(at: number): string;
}

interface Row {
  number: number;
  element: HTMLElement;
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  cells: HTMLElement[];
}

/** Pixels between cells, of the page. */
const GAP = 2;
/** From so many pixels of the page on, the full image is drawn. */
const FULL_FROM = 120;
/** Rows beyond the view that are drawn as well: behind, and ahead of the movement. */
const BEHIND = 1;
const AHEAD = 3;
const REST_MS = 150;
/** Beyond so many views a second nothing is asked for: it would be gone when it came. */
const FAST = 2;
const GROUND = 0xff1d1b19; // as bytes: opaque, blue, green, red
const MARK = 0xff7a7a7a;

/**
 * A grid of cells, of which only the rows in view exist: rows are elements, which the browser scrolls by itself, and are
 * used again for others once they are out of view. In each a canvas shows the images, and each cell has an element.
 */
export class Grid {
  readonly element = document.createElement('div');
  private readonly sheet = document.createElement('div');
  private readonly rows = new Map<number, Row>();
  private readonly idle: Row[] = [];
  private order: number[] = [];
  private places = new Map<number, number>();
  private columns = 1;
  private pitch = 1;
  private wish = 72;
  private activeAt = 0;
  private chosenAt = -1;
  private top = 0;
  private down = true;
  /** How fast it is scrolled, in pixels of the page a millisecond, and when that was last measured. */
  private speed = 0;
  private then = 0;
  private frame = 0;
  private resting: ReturnType<typeof setTimeout> | undefined;
  private colours = new Uint32Array(256);
  private readonly scratch = new Map<number, { image: ImageData; words: Uint32Array }>();

  constructor(
    private readonly sizes: Sizes,
    private readonly events: GridEvents,
    label: string,
    signal: AbortSignal,
  ) {
    const { element, sheet } = this;
    element.className = 'nn-grid';
    element.setAttribute('role', 'grid');
    element.setAttribute('aria-label', label);
    element.setAttribute('aria-readonly', 'true');
    sheet.className = 'nn-sheet';
    element.append(sheet);
    element.addEventListener('scroll', () => { this.scrolled(); }, { passive: true, signal });
    element.addEventListener('keydown', (event) => { this.key(event); }, { signal });
    element.addEventListener('click', (event) => { this.clicked(event); }, { signal });
    const observer = new ResizeObserver(() => { this.lay(); });
    observer.observe(element);
    signal.addEventListener('abort', () => {
      observer.disconnect();
      cancelAnimationFrame(this.frame);
      clearTimeout(this.resting);
    });
  }

  /** Shows cells in an order, from a place of it on. */
  show(order: number[], first: number): void {
    this.order = order;
    this.places = new Map(order.map((cell, at) => [cell, at]));
    this.activeAt = Math.min(first, Math.max(0, order.length - 1));
    this.chosenAt = -1;
    this.clear();
    this.lay(first);
  }

  /** Wishes for a size of cells; they are made a little larger, so that a row is full. */
  setSize(size: number): void {
    if (size === this.wish) return;
    const first = this.first();
    this.wish = size;
    this.clear();
    this.lay(first);
  }

  /** Shows grey levels by a table of red, green and blue. */
  setColours(table: Uint8Array): void {
    const words = new Uint32Array(256);
    for (let grey = 0; grey < 256; grey++) {
      const [red = 0, green = 0, blue = 0] = table.subarray(3 * grey, 3 * grey + 3);
      words[grey] = (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
    }
    this.colours = words;
    for (const row of this.rows.values()) this.draw(row);
  }

  /** Marks the chosen cell; -1 is none. */
  setChosen(at: number): void {
    const before = this.chosenAt;
    this.chosenAt = at;
    this.mark(before);
    this.mark(at);
    if (at >= 0) this.setActive(at);
  }

  /** Brings a cell into view. */
  private reveal(at: number): void {
    const { element, pitch } = this;
    const top = Math.floor(at / this.columns) * pitch;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + pitch > element.scrollTop + element.clientHeight) element.scrollTop = top + pitch - GAP - element.clientHeight;
    this.update();
  }

  focus(): void {
    this.reveal(this.activeAt);
    this.cellElement(this.activeAt)?.focus({ preventScroll: true });
  }

  /** An image has come, or will not. */
  arrived(cell: number): void {
    const at = this.places.get(cell);
    const row = at === undefined ? undefined : this.rows.get(Math.floor(at / this.columns));
    if (at !== undefined && row) this.drawCell(row, at % this.columns);
  }

  /** How often each grey level is in view. */
  levels(): Uint32Array {
    const counts = new Uint32Array(256);
    const [from, to] = this.inView();
    for (let at = from * this.columns; at < Math.min(this.order.length, to * this.columns); at++) {
      const pixels = this.images.get(this.order[at] ?? -1);
      if (pixels instanceof Uint8Array) for (const grey of pixels) counts[grey] = (counts[grey] ?? 0) + 1;
    }
    counts[0] = 0; // black is what is outside of masks
    return counts;
  }

  /** What is in view, at the size of the images; null where nothing is. */
  picture(): HTMLCanvasElement | null {
    const [from, to] = this.inView();
    const rows = Array.from({ length: to - from }, (_, at) => this.rows.get(from + at)?.canvas).filter((canvas) => canvas !== undefined);
    const [first] = rows;
    if (!first) return null;
    const gap = Math.round((GAP * first.height) / this.cellWidth);
    const picture = document.createElement('canvas');
    [picture.width, picture.height] = [first.width, rows.length * (first.height + gap) - gap];
    const context = picture.getContext('2d');
    if (!context) return null;
    context.fillRect(0, 0, picture.width, picture.height);
    rows.forEach((canvas, at) => {
      context.drawImage(canvas, 0, at * (first.height + gap));
    });
    return picture;
  }

  /** Width and height of the images that are drawn, in pixels. */
  get side(): number {
    return this.images.side;
  }

  /** How many cells in view could not be loaded. */
  get missing(): number {
    return this.images.missing;
  }

  retry(): void {
    this.sizes.thumbnails.retry();
    this.sizes.full.retry();
    this.update();
    for (const row of this.rows.values()) this.draw(row);
  }

  /** Width of a cell, in pixels of the page. */
  get cellWidth(): number {
    return this.pitch - GAP;
  }

  private get images(): Images {
    return this.cellWidth >= FULL_FROM ? this.sizes.full : this.sizes.thumbnails;
  }

  private first(): number {
    return Math.round(this.element.scrollTop / this.pitch) * this.columns;
  }

  /** Fits rows to the width, and scrolls to a place where one is given, else to what was the first. */
  private lay(first = this.first()): void {
    const width = this.element.clientWidth;
    if (width === 0) return;
    const columns = Math.max(1, Math.floor((width + GAP) / (this.wish + GAP)));
    const pitch = (width + GAP) / columns;
    const same = columns === this.columns && Math.abs(pitch - this.pitch) < 0.01;
    const focused = this.element.matches(':focus-within');
    if (!same) this.clear();
    this.columns = columns;
    this.pitch = pitch;
    const rows = Math.ceil(this.order.length / columns);
    this.sheet.style.height = `${Math.max(0, rows * pitch - GAP)}px`;
    this.element.setAttribute('aria-rowcount', String(rows));
    this.element.setAttribute('aria-colcount', String(columns));
    if (Math.floor(first / columns) !== Math.round(this.element.scrollTop / pitch)) {
      this.element.scrollTop = Math.floor(first / columns) * pitch;
    }
    this.update();
    // Other columns move the chosen cell elsewhere.
    if (!same && this.chosenAt >= 0) this.reveal(this.chosenAt);
    if (focused && !same) this.cellElement(this.activeAt)?.focus({ preventScroll: true });
    this.rest();
  }

  private scrolled(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { this.update(); });
    this.rest();
  }

  private rest(): void {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.speed = 0;
      this.update();
      this.events.rested(this.first());
    }, REST_MS);
  }

  /** The first row in view, and the one after the last. */
  private inView(): [number, number] {
    const { scrollTop, clientHeight } = this.element;
    const all = Math.ceil(this.order.length / this.columns);
    return [Math.max(0, Math.floor(scrollTop / this.pitch)), Math.min(all, Math.ceil((scrollTop + clientHeight) / this.pitch))];
  }

  /** Has the rows that are in view, and asks for their images. */
  private update(): void {
    const { scrollTop, clientHeight } = this.element;
    const now = performance.now();
    const moved = Math.abs(scrollTop - this.top);
    this.speed = 0.7 * this.speed + (0.3 * moved) / Math.max(8, now - this.then);
    this.then = now;
    if (moved > 0) this.down = scrollTop > this.top;
    this.top = scrollTop;
    const [from, to] = this.inView();
    const all = Math.ceil(this.order.length / this.columns);
    const first = Math.max(0, from - (this.down ? BEHIND : AHEAD));
    const end = Math.min(all, to + (this.down ? AHEAD : BEHIND));
    const kept = Math.floor(this.activeAt / this.columns); // the row that Tab leads to stays
    for (const [number, row] of this.rows) {
      if ((number >= first && number < end) || number === kept) continue;
      this.rows.delete(number);
      row.element.hidden = true;
      this.idle.push(row);
    }
    for (let number = first; number < end; number++) this.have(number);
    if (this.order.length > 0) this.have(kept);
    const fast = 1000 * this.speed > FAST * clientHeight;
    const ahead = this.down ? this.cellsOf(to, end) : this.cellsOf(first, from);
    const wanted = fast ? [] : [...this.cellsOf(from, to), ...ahead];
    const full = this.images === this.sizes.full;
    this.sizes.thumbnails.want(full ? [] : wanted);
    this.sizes.full.want(full ? wanted : []);
  }

  private cellsOf(from: number, to: number): number[] {
    return this.order.slice(from * this.columns, to * this.columns);
  }

  private have(number: number): void {
    if (this.rows.has(number)) return;
    const row = this.idle.pop() ?? this.newRow();
    row.number = number;
    this.rows.set(number, row);
    row.element.hidden = false;
    row.element.style.transform = `translateY(${number * this.pitch}px)`;
    row.element.setAttribute('aria-rowindex', String(number + 1));
    row.cells.forEach((cell, column) => {
      const at = number * this.columns + column;
      cell.hidden = at >= this.order.length;
      if (!cell.hidden) this.mark(at);
    });
    this.name(row);
    this.draw(row);
  }

  /** Names the cells anew, once more is known of them. */
  rename(): void {
    for (const row of this.rows.values()) this.name(row);
  }

  private name({ number, cells }: Row): void {
    cells.forEach((cell, column) => {
      if (!cell.hidden) cell.setAttribute('aria-label', this.events.name(number * this.columns + column));
    });
  }

  private newRow(): Row {
    const element = document.createElement('div');
    element.className = 'nn-row';
    element.setAttribute('role', 'row');
    element.style.height = `${this.cellWidth}px`;
    element.style.gridTemplateColumns = `repeat(${this.columns}, ${this.cellWidth}px)`;
    const canvas = document.createElement('canvas');
    canvas.setAttribute('aria-hidden', 'true');
    const { side } = this.images;
    // The gap of the page, in pixels of the images.
    canvas.width = Math.round(((this.columns * this.pitch - GAP) / this.cellWidth) * side);
    canvas.height = side;
    // Small, and written pixel by pixel: nothing that graphics hardware is faster at.
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no 2D canvas');
    element.append(canvas);
    const cells = Array.from({ length: this.columns }, (_, column) => {
      const cell = document.createElement('div');
      cell.className = 'nn-cell';
      cell.setAttribute('role', 'gridcell');
      cell.setAttribute('aria-colindex', String(column + 1));
      cell.tabIndex = -1;
      element.append(cell);
      return cell;
    });
    this.sheet.append(element);
    return { number: -1, element, canvas, context, cells };
  }

  private clear(): void {
    // Rows of another width are of no use.
    this.sheet.replaceChildren();
    this.rows.clear();
    this.idle.length = 0;
  }

  private draw(row: Row): void {
    row.context.clearRect(0, 0, row.canvas.width, row.canvas.height);
    for (let column = 0; column < this.columns; column++) this.drawCell(row, column);
  }

  private drawCell({ number, context }: Row, column: number): void {
    const cell = this.order[number * this.columns + column];
    if (cell === undefined) return;
    const { images } = this;
    const pixels = images.get(cell);
    const x = Math.round((column * this.pitch * images.side) / this.cellWidth);
    if (pixels === null && images === this.sizes.full) {
      const small = this.sizes.thumbnails.get(cell);
      if (small instanceof Uint8Array) {
        this.enlarge(context, x, small);
        return;
      }
    }
    const { image, words } = this.paper(images.side);
    if (pixels instanceof Uint8Array) for (let at = 0; at < words.length; at++) words[at] = this.colours[pixels[at] ?? 0] ?? 0;
    else {
      words.fill(GROUND);
      if (pixels === 'failed') {
        for (let at = 0; at < images.side; at++) words[at * images.side + at] = words[at * images.side + images.side - 1 - at] = MARK;
      }
    }
    context.putImageData(image, x, 0);
  }

  /** Draws a small image in the place of a full one that is on its way. */
  private enlarge(context: CanvasRenderingContext2D, x: number, small: Uint8Array): void {
    const { side } = this.sizes.full;
    const step = this.sizes.thumbnails.side / side;
    const { image, words } = this.paper(side);
    for (let at = 0; at < words.length; at++) {
      const [row, column] = [Math.floor(at / side), at % side];
      const grey = small[Math.floor(row * step) * this.sizes.thumbnails.side + Math.floor(column * step)] ?? 0;
      words[at] = this.colours[grey] ?? 0;
    }
    context.putImageData(image, x, 0);
  }

  private paper(side: number): { image: ImageData; words: Uint32Array } {
    let paper = this.scratch.get(side);
    if (!paper) {
      const image = new ImageData(side, side);
      paper = { image, words: new Uint32Array(image.data.buffer) };
      this.scratch.set(side, paper);
    }
    return paper;
  }

  private cellElement(at: number): HTMLElement | undefined {
    return this.rows.get(Math.floor(at / this.columns))?.cells[at % this.columns];
  }

  private mark(at: number): void {
    const cell = at < 0 ? undefined : this.cellElement(at);
    if (!cell) return;
    cell.tabIndex = at === this.activeAt ? 0 : -1;
    cell.setAttribute('aria-selected', String(at === this.chosenAt));
  }

  private setActive(at: number): void {
    const before = this.activeAt;
    this.activeAt = at;
    this.mark(before);
    this.reveal(at);
    this.mark(at);
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || (event.metaKey && event.key !== 'Home' && event.key !== 'End')) return;
    const { columns, activeAt } = this;
    const last = this.order.length - 1;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.pitch)) * columns;
    const rowStart = activeAt - (activeAt % columns);
    const far = event.ctrlKey || event.metaKey;
    const moves: Record<string, number> = {
      ArrowRight: activeAt + 1,
      ArrowLeft: activeAt - 1,
      ArrowDown: activeAt + columns,
      ArrowUp: activeAt - columns,
      PageDown: Math.min(activeAt + page, last - ((last - activeAt) % columns)),
      PageUp: Math.max(activeAt - page, activeAt % columns),
      Home: far ? 0 : rowStart,
      End: far ? last : Math.min(last, rowStart + columns - 1),
    };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (to < 0 || to > last || to === activeAt) return;
      this.setActive(to);
      this.cellElement(to)?.focus({ preventScroll: true });
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      if (last >= 0) this.events.chosen(activeAt);
    } else if (event.key === 'Escape') this.events.escape();
  }

  private clicked(event: MouseEvent): void {
    const cell = (event.target as HTMLElement).closest<HTMLElement>('.nn-cell');
    for (const row of this.rows.values()) {
      const column = cell ? row.cells.indexOf(cell) : -1;
      if (column >= 0) this.events.chosen(row.number * this.columns + column);
    }
  }
}
