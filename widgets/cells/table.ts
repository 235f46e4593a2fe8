import { parquetMetadataAsync, parquetRead, parquetReadObjects, rowIndex, type AsyncBuffer, type ColumnData, type FileMetaData } from 'hyparquet';
import type { Kinds } from '../shared/filter';
import { isRecord, numberOf, textOf } from '../shared/json';
import { MEASURES, quotient, TEXTURE, type Measure } from '../shared/measure';
import { Joint, PartialFile } from '../shared/partial';
import { Problem } from '../shared/problem';
import type { TableFile } from './collection';

/** What the table has of one cell; null where it has nothing. */
export interface Facts {
  /** The name of its image's file. */
  cell: string | null;
  panorama: string | null;
  /** Its number in the mask of its panorama. */
  roi: number | null;
  run: number | null;
  passage: string | null;
  /** Its centroid, in pixels of the panorama. */
  x: number | null;
  y: number | null;
  measures: Map<string, number>;
  kind: string | null;
}

/** As much as is read at first: the footer, and what the columns' page indexes take before it. */
const TAIL_BYTES = 1 << 18;
const WHAT = 'The measurements of the cells';

/** The table of all cells, of which single columns and rows are read when they are asked for. */
export class Table {
  private readonly file: PartialFile;
  private readonly opened: Joint<{ buffer: AsyncBuffer; metadata: FileMetaData; columns: Set<string> }>;
  private readonly columns = new Map<string, Joint<Float32Array>>();
  private readonly kinds = new Map<string, Joint<Kinds>>();

  constructor(
    private readonly collection: TableFile,
    private readonly signal: AbortSignal,
  ) {
    this.file = new PartialFile(collection.table);
    this.opened = new Joint((signal) => this.open(signal));
  }

  /** Those of `MEASURES` that the table has. */
  async measures(): Promise<Measure[]> {
    const { columns } = await this.reading(() => this.opened.get(this.signal));
    const has = (column: string) => (column === TEXTURE.column ? TEXTURE.of.every((one) => columns.has(one)) : columns.has(column));
    return MEASURES.filter(({ column }) => has(column));
  }

  /** The values of a measurement for all cells; NaN where there is none. */
  column(name: string): Promise<Float32Array> {
    let column = this.columns.get(name);
    if (!column) {
      column = new Joint(async () => {
        if (name === TEXTURE.column) {
          const [spread, mean] = await Promise.all(TEXTURE.of.map((of) => this.column(of)));
          return Float32Array.from(spread ?? [], (value, cell) => quotient(value, mean?.[cell] ?? 0));
        }
        const values = new Float32Array(this.collection.cells).fill(Number.NaN);
        await this.eachChunk(name, (value, cell) => {
          if (typeof value === 'number' || typeof value === 'bigint') values[cell] = Number(value);
        });
        return values;
      });
      this.columns.set(name, column);
    }
    return this.reading(() => column.get(this.signal));
  }

  /** The whole numbers of a column, which has one in each row. */
  async integers(name: string): Promise<Uint32Array> {
    const values = new Uint32Array(this.collection.cells);
    await this.reading(() =>
      this.eachChunk(name, (value, at) => {
        values[at] = Number(value);
      }),
    );
    return values;
  }

  /** The classes or the panoramas of all cells; null where the table has none. */
  async words(column: 'class' | 'panorama'): Promise<Kinds | null> {
    const { columns } = await this.reading(() => this.opened.get(this.signal));
    if (!columns.has(column)) return null;
    let kinds = this.kinds.get(column);
    if (!kinds) {
      kinds = new Joint(async () => {
        const codes = new Uint16Array(this.collection.cells);
        const known = new Map<string, number>();
        await this.eachChunk(column, (value, cell) => {
          if (typeof value !== 'string' || value === '') return;
          let code = known.get(value);
          if (code === undefined && known.size < 65_535) known.set(value, (code = known.size + 1));
          codes[cell] = code ?? 0;
        });
        return { names: [...known.keys()], codes };
      });
      this.kinds.set(column, kinds);
    }
    const reading = kinds;
    return this.reading(() => reading.get(this.signal));
  }

  /** What the table has in a column for some cells, in their order. */
  async pick(column: string, cells: readonly number[]): Promise<unknown[]> {
    const places = new Map(cells.map((cell, at) => [cell, at]));
    const picked = new Array<unknown>(cells.length).fill(null);
    await this.reading(() =>
      this.eachChunk(column, (value, cell) => {
        const at = places.get(cell);
        if (at !== undefined) picked[at] = value;
      }),
    );
    return picked;
  }

  /** The names of the columns. */
  async names(): Promise<ReadonlySet<string>> {
    return (await this.reading(() => this.opened.get(this.signal))).columns;
  }

  async facts(cell: number): Promise<Facts> {
    const rows = await this.reading(async () => {
      const { buffer, metadata } = await this.opened.get(this.signal);
      return parquetReadObjects({ file: buffer, metadata, rowStart: cell, rowEnd: cell + 1, useOffsetIndex: true });
    });
    const row = rows[0];
    if (!isRecord(row)) throw new Problem(`${WHAT} have no row for this one.`);
    const number = (name: string) => numberOf(typeof row[name] === 'bigint' ? Number(row[name]) : row[name]);
    const [spread, mean] = TEXTURE.of.map(number);
    const texture = numberOf(quotient(spread ?? Number.NaN, mean ?? 0));
    const measures = MEASURES.flatMap(({ column }): [string, number][] => {
      const value = column === TEXTURE.column ? texture : number(column);
      return value === null ? [] : [[column, value]];
    });
    return {
      cell: textOf(row.cell),
      panorama: textOf(row.panorama),
      roi: number('roi'),
      run: number('run'),
      passage: textOf(row.passage),
      x: number('x_px'),
      y: number('y_px'),
      measures: new Map(measures),
      kind: textOf(row.class),
    };
  }

  /** The cell of a nucleus; null where it has none. */
  async find(panorama: string, roi: number): Promise<number | null> {
    const rows = await this.reading(async () => {
      const { buffer, metadata } = await this.opened.get(this.signal);
      const filter = { $and: [{ panorama: { $eq: panorama } }, { roi: { $eq: roi } }] };
      const columns = ['panorama', 'roi'];
      return parquetReadObjects({ file: buffer, metadata, columns, filter, filterStrict: false, usePageIndex: true, includeRowIndex: true });
    });
    return rows[0]?.[rowIndex] ?? null;
  }

  private async open(signal: AbortSignal) {
    // To ask another origin for a file's end by a number below 0 takes a request more, and many hosts don't answer that.
    const { tableBytes, cells } = this.collection;
    const from = tableBytes === null ? -TAIL_BYTES : Math.max(0, tableBytes - TAIL_BYTES);
    let { data: tail, size } = await this.file.read({ from }, signal);
    size ??= tableBytes;
    // A host that keeps the size to itself is asked for all of it.
    if (size === null) ({ data: tail, size } = await this.file.read({ from: 0 }, signal));
    const byteLength = size ?? tail.byteLength;
    const start = byteLength - tail.byteLength;
    const buffer: AsyncBuffer = {
      byteLength,
      slice: async (from, to = byteLength) => {
        if (from >= start) return tail.slice(from - start, to - start).buffer;
        const { data } = await this.file.read({ from, to }, this.signal);
        return data.byteLength === data.buffer.byteLength ? data.buffer : data.slice().buffer;
      },
    };
    const metadata = await parquetMetadataAsync(buffer, { initialFetchSize: tail.byteLength });
    if (Number(metadata.num_rows) !== cells) {
      throw new Problem(`${WHAT} do not belong to these images: ${metadata.num_rows} rows for ${cells} cells.`);
    }
    return { buffer, metadata, columns: new Set(metadata.schema.map(({ name }) => name)) };
  }

  private async eachChunk(column: string, take: (value: unknown, cell: number) => void): Promise<void> {
    const { buffer, metadata } = await this.opened.get(this.signal);
    const onChunk = ({ columnData, rowStart }: ColumnData) => {
      for (let at = 0; at < columnData.length; at++) take(columnData[at], rowStart + at);
    };
    await parquetRead({ file: buffer, metadata, columns: [column], onChunk });
  }

  private async reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (this.signal.aborted || error instanceof Problem) throw error;
      throw new Problem(`${WHAT} could not be read.`);
    }
  }
}
