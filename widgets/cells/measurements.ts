import type { Kinds } from '../shared/filter';
import { MEASURES } from '../shared/measure';
import { Problem } from '../shared/problem';
import type { CellTable } from './source';

const KNOWN: ReadonlySet<string> = new Set(MEASURES.map(({ column }) => column));
/** The columns of classes, of panoramas, and of numbers in the masks of those. */
export const CLASS = 'class';
export const PANORAMA = 'panorama';
export const ROI = 'roi';

/** A table whose columns are measurements. */
export type MeasuredTable = Pick<CellTable, 'measures' | 'column' | 'words'>;

/** The measurements of all cells, column by column: each is fetched when it is first needed. */
export class Measurements {
  readonly columns = new Map<string, Float32Array>();
  kinds: Kinds | null = null;
  panoramas: Kinds | null = null;
  /** Why some could not be loaded; empty while nothing is wrong. */
  problem = '';
  /** Columns that are loading or loaded, or could not be. */
  private readonly requested = new Set<string>();
  private readonly loading = new Set<string>();

  constructor(
    private readonly table: MeasuredTable,
    private readonly changed: () => void,
    private readonly signal: AbortSignal,
  ) {}

  /** Whether some of these columns are still to come; without any, whether anything is. */
  awaits(names: Iterable<string> = this.loading): boolean {
    return [...names].some((name) => this.loading.has(name));
  }

  /** Fetches columns that were not requested before. */
  fetch(names: Iterable<string>): void {
    for (const name of names) {
      if (this.requested.has(name) || !([CLASS, PANORAMA, ROI].includes(name) || KNOWN.has(name))) continue;
      this.requested.add(name);
      this.loading.add(name);
      void this.load(name);
    }
  }

  /** Lets what could not be loaded be fetched again. */
  retry(): void {
    this.requested.clear();
    this.problem = '';
  }

  private async load(name: string): Promise<void> {
    try {
      if (name === CLASS) this.kinds = await this.table.words(CLASS);
      else if (name === PANORAMA) this.panoramas = await this.table.words(PANORAMA);
      else if (name === ROI || (await this.table.measures()).some(({ column }) => column === name)) {
        this.columns.set(name, await this.table.column(name));
      }
    } catch (error) {
      if (this.signal.aborted) return;
      this.problem = error instanceof Problem ? error.message : 'The measurements of the cells could not be shown.';
    }
    this.loading.delete(name);
    if (!this.signal.aborted) this.changed();
  }
}
