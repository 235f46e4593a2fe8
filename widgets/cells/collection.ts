import { isRecord, numberOf, resolve, textOf } from '../shared/json';
import { Problem } from '../shared/problem';
import type { Run } from './draw';

/** A table of cells: its address, its size where that is known, and how many rows it has. */
export interface TableFile {
  table: string;
  tableBytes: number | null;
  cells: number;
}

/** Cells that are drawn by a seed, and the address of an array of their thumbnails, in this order in one shard. */
export interface FirstDraw {
  seed: number;
  cells: number[];
  thumbnails: string;
}

/** The cells of an edition, as their `cells.json` lists them; addresses are absolute. */
export interface Collection {
  note: string;
  cells: number;
  pxPerUm: number | null;
  /** Width of an image, in pixels of the panorama. */
  cellPx: number;
  runs: Run[];
  images: string;
  thumbnails: string;
  table: string;
  /** Size of the table, where known: hosts of another origin mostly do not expose it. */
  tableBytes: number | null;
  /** A table of some of the rows, with their number as `row`: where there are very many cells, enough to begin with. */
  overview: TableFile | null;
  /** What a view begins with; null where cells are few enough to fetch each from its shard. */
  draw: FirstDraw | null;
  /** How many cells each shard of images holds; null where all are full but for the last. */
  shards: number[] | null;
}

/** Reads the text of a `cells.json`; null where the edition has no cells. */
export function parseCells(text: string, address: string): { note: string; collection: Collection | null } {
  const damaged = (what: string) => new Problem(`The list of cells is damaged: ${what}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem('The list of cells is damaged and cannot be read.');
  }
  if (!isRecord(value)) throw damaged('it names no cells');
  const note = textOf(value.note) ?? '';
  const cells = countOf(value.cells);
  if (cells === null) throw damaged('it has no number of cells');
  if (cells === 0) return { note, collection: null };
  const [images, thumbnails, table] = ['images', 'thumbnails', 'table'].map((name) => resolve(textOf(value[name]), address));
  if (!images || !thumbnails || !table) throw damaged('it does not say where they are');
  const cellPx = numberOf(value.cell_px);
  if (cellPx === null || cellPx <= 0) throw damaged('it has no size of their images');
  const pxPerUm = numberOf(value.px_per_um);
  const runs = (Array.isArray(value.runs) ? value.runs : []).map((entry: unknown): Run => {
    const of = isRecord(entry) ? entry : {};
    const [run, first, count] = [numberOf(of.run), countOf(of.first), countOf(of.cells)];
    if (run === null || first === null || count === null || first + count > cells) throw damaged('its runs are no stretches of the cells');
    return { run, passage: textOf(of.passage), first, cells: count };
  });
  const shards = Array.isArray(value.shards) ? value.shards.map(countOf) : null;
  if (shards && (!shards.every((held) => held !== null) || sum(shards) !== cells)) throw damaged('its shards hold other cells');
  return {
    note,
    collection: {
      note,
      cells,
      pxPerUm: pxPerUm !== null && pxPerUm > 0 ? pxPerUm : null,
      cellPx,
      runs,
      images,
      thumbnails,
      table,
      tableBytes: countOf(value.table_bytes),
      overview: overviewOf(value.overview, address),
      draw: drawOf(value.draw, address),
      shards,
    },
  };
}

/** Null where there is none, or it says not what it is: all is then read from the whole table. */
function overviewOf(value: unknown, address: string): TableFile | null {
  if (!isRecord(value)) return null;
  const [table, cells] = [resolve(textOf(value.table), address), countOf(value.cells)];
  return table === null || cells === null ? null : { table, cells, tableBytes: countOf(value.table_bytes) };
}

/** Null where there is none, or it says not what it is: images then come from their shards. */
function drawOf(value: unknown, address: string): FirstDraw | null {
  if (!isRecord(value) || !Array.isArray(value.cells)) return null;
  const [seed, thumbnails, cells] = [countOf(value.seed), resolve(textOf(value.thumbnails), address), value.cells.map(countOf)];
  return !seed || thumbnails === null || cells.includes(null) ? null : { seed, thumbnails, cells: cells as number[] };
}

function countOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
