import { isRecord, numberOf, resolve, textOf } from '../shared/json';
import { Problem } from '../shared/problem';

/** A run, whose cells are one row of the mosaic. */
export interface Row {
  run: number;
  passage: string | null;
  /** How many cells it has: the rest of the row is black. */
  cells: number;
  /** What its grey levels are multiplied by to be normalised. */
  gain: number | null;
}

/** A mosaic of cells, its addresses made absolute. Rows are from the top. */
export interface Mosaic {
  note: string;
  rows: Row[];
  columns: number;
  /** Side of a cell's image in pixels. */
  cellPx: number;
  pxPerUm: number | null;
  seed: number | null;
  /** Share of pixels inside masks that became white when normalised. */
  clipped: number | null;
  /** How many cells have white pixels as measured. */
  saturated: number | null;
  intensity: string | null;
  normalised: string | null;
  /** Address of the cells' names. */
  cells: string | null;
}

/** Reads the text of a `mosaic.json`; addresses in it are relative to `address`, its own. */
export function parseMosaic(text: string, address: string): Mosaic {
  const damaged = (what: string) => new Problem(`The description of the mosaic is damaged: ${what}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged('it cannot be read');
  }
  if (!isRecord(value) || !Array.isArray(value.rows)) throw damaged('it names no runs');
  const rows = value.rows.map((row: unknown): Row => {
    const [run, cells] = isRecord(row) ? [numberOf(row.run), numberOf(row.cells)] : [null, null];
    if (!isRecord(row) || run === null || cells === null || !isCount(cells)) throw damaged('a row has no run');
    return { run, cells, passage: textOf(row.passage), gain: positive(row.gain) };
  });
  const [columns, cellPx] = [numberOf(value.columns) ?? 0, numberOf(value.cell_px) ?? 0];
  const intensity = resolve(textOf(value.intensity), address);
  if (rows.length > 0) {
    if (!isCount(columns) || !isCount(cellPx) || cellPx === 0) throw damaged('it has no size');
    if (rows.some(({ cells }) => cells > columns)) throw damaged('a row is longer than the mosaic is wide');
    if (intensity === null) throw damaged('it has no image');
  }
  return {
    note: textOf(value.note) ?? '',
    rows,
    columns,
    cellPx,
    pxPerUm: positive(value.px_per_um),
    seed: numberOf(value.seed),
    clipped: numberOf(value.clipped),
    saturated: numberOf(value.saturated),
    intensity,
    normalised: resolve(textOf(value.normalised), address),
    cells: resolve(textOf(value.cells), address),
  };
}

/** A place in the grid, from 0 at the top left. */
export interface GridPlace {
  row: number;
  column: number;
}

/** The cell at an image pixel; null in the black end of a row. */
export function placeAt({ rows, columns, cellPx }: Mosaic, pixel: { x: number; y: number }): GridPlace | null {
  const [row, column] = [Math.floor(pixel.y / cellPx), Math.floor(pixel.x / cellPx)];
  return column >= 0 && column < Math.min(columns, rows[row]?.cells ?? 0) ? { row, column } : null;
}

/** The place that comes `step` cells after another, in reading order, from the last on to the first. */
export function nextPlace(mosaic: Mosaic, place: GridPlace | null, step: 1 | -1): GridPlace | null {
  const count = mosaic.rows.reduce((sum, { cells }) => sum + cells, 0);
  if (count === 0) return null;
  const at = place === null ? (step > 0 ? 0 : count - 1) : (indexOf(mosaic, place) + step + count) % count;
  return placeOf(mosaic, at);
}

/** How many cells come before a place. */
export function indexOf({ rows }: Mosaic, { row, column }: GridPlace): number {
  return rows.slice(0, row).reduce((sum, { cells }) => sum + cells, column);
}

/** The place of a cell, counted from 0 in reading order. */
export function placeOf({ rows }: Mosaic, at: number): GridPlace | null {
  let before = 0;
  for (const [row, { cells }] of rows.entries()) {
    if (at < before + cells) return { row, column: at - before };
    before += cells;
  }
  return null;
}

/** A row's run in words. */
export function runText({ run, passage }: Row): string {
  return passage === null ? `Run ${run}` : `Run ${run}, passage ${passage}`;
}

/** Every how many rows there is room for a label that is `room` high, where a row is `height` high: 1, 2, 5, 10, 20 ... */
export function labelStep(height: number, room: number): number {
  for (let power = 1; power < 1e6; power *= 10) {
    const step = [1, 2, 5].find((factor) => factor * power * height >= room);
    if (step !== undefined) return step * power;
  }
  return 1e6;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function positive(value: unknown): number | null {
  const number = numberOf(value);
  return number !== null && number > 0 ? number : null;
}
