import { Problem } from '../shared/problem';
import { fetchNuclei, type Nuclei } from './nuclei';
import type { Panorama } from './panoramas';

type Measured = Pick<Panorama, 'nuclei'>;

/** The measurements of the nuclei of the panorama that is open, fetched when they are first asked for. */
export class Measurements {
  /** Why they could not be loaded; empty while nothing is wrong. */
  problem = '';
  nuclei: Nuclei | null = null;
  private panorama: Measured | null = null;
  private loading: Promise<Nuclei | null> | null = null;

  constructor(
    private readonly changed: () => void,
    private readonly signal: AbortSignal,
  ) {}

  of(panorama: Measured): void {
    if (panorama === this.panorama) return;
    this.panorama = panorama;
    this.forget();
  }

  /** Tries again what failed. */
  retry(): void {
    if (this.problem !== '') this.forget();
  }

  /** Null where nothing was measured, or it could not be loaded. */
  load(): Promise<Nuclei | null> {
    this.loading ??= this.fetch(this.panorama);
    return this.loading;
  }

  private forget(): void {
    this.nuclei = null;
    this.loading = null;
    this.problem = '';
  }

  private async fetch(panorama: Measured | null): Promise<Nuclei | null> {
    if (!panorama?.nuclei) return null;
    let nuclei: Nuclei | null = null;
    let problem = '';
    try {
      nuclei = await fetchNuclei(panorama.nuclei, this.signal);
    } catch (error) {
      problem = error instanceof Problem ? error.message : 'The measurements of the nuclei could not be shown.';
    }
    if (panorama !== this.panorama || this.signal.aborted) return null;
    this.nuclei = nuclei;
    this.problem = problem;
    this.changed();
    return nuclei;
  }
}
