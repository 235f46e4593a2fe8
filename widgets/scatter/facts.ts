import { fetchBlob } from '../shared/files';
import { brightness, grouped, nuclei, rounded } from '../shared/text';
import type { Averages, Panorama } from './collection';

/** What is known of a panorama, a line each. */
export function factsOf({ rois, mean, spread, run, passage, rank }: Panorama): string[] {
  const facts = [nuclei(rois)];
  if (mean !== null) facts.push(`brightness ${brightness(mean)}${spread === null ? '' : ` (standard deviation ${brightness(spread)})`}`);
  const origin = [run === null ? '' : `experiment ${run}`, passage === null ? '' : `passage ${passage}`].filter(Boolean);
  if (origin.length > 0) facts.push(origin.join(', '));
  if (rank !== null) facts.push(`rank ${rank} from the centroid`);
  return facts;
}

/** A panorama in a sentence, for readers who hear it. */
export function spoken(panorama: Panorama): string {
  return `${panorama.name}: ${factsOf(panorama).join(', ')}`;
}

export function selectionText(averages: Averages | null, total: number): string {
  if (averages === null) return `None of ${grouped(total)} panoramas selected.`;
  const { count, nuclei: sum, x, y, spread } = averages;
  const spreadText = spread === null ? '' : `, standard deviation ${rounded(spread)}`;
  return (
    `${grouped(count)} of ${grouped(total)} panoramas selected, with ${nuclei(sum)}. ` +
    `Means: ${rounded(x)} nuclei, brightness ${rounded(y)}${spreadText}.`
  );
}

/** A panorama's preview, or nothing where it has none or none can be loaded. */
export class Preview {
  readonly element = document.createElement('img');
  private address: string | null = null;
  private opening = new AbortController();

  constructor(signal: AbortSignal) {
    const { element } = this;
    element.alt = '';
    element.decoding = 'async';
    element.hidden = true;
    element.addEventListener('load', () => {
      element.hidden = false;
    });
    signal.addEventListener('abort', () => {
      this.show(null);
    });
  }

  show(panorama: Panorama | null): void {
    const address = panorama?.preview ?? null;
    if (address === this.address) return;
    this.address = address;
    this.opening.abort();
    this.opening = new AbortController();
    this.element.hidden = true;
    this.element.removeAttribute('src');
    if (address === null) return;
    if (/^https?:/.test(address)) this.element.src = address;
    else void this.open(address, this.opening.signal);
  }

  /** Shows what a browser can't load by itself: a file of the host's kernel. */
  private async open(address: string, signal: AbortSignal): Promise<void> {
    const blob = await fetchBlob(address, signal).catch(() => null);
    if (!blob || signal.aborted) return;
    const url = URL.createObjectURL(blob);
    signal.addEventListener('abort', () => {
      URL.revokeObjectURL(url);
    });
    this.element.src = url;
  }
}
