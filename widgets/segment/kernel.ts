import { Problem } from '../shared/problem';
import { inflated } from '../shared/inflate';
import { isRecord, numberOf, textOf } from '../shared/json';
import type { Model } from '../shared/model';
import { EngineProblem, type Engine, type EngineEvents } from './engine';
import type { Methods } from './protocol';

/*
 * Masks that a kernel computes. A message `{kind: 'call', id, method, given}` is answered with `{kind: 'answer', id}` and
 * `given`, `problem` or `canceled`; bytes go beside both. By itself the kernel says `{kind: 'progress', what, share}`,
 * `{kind: 'early', version, nuclei}`, and how far its jobs are, `{kind: 'job', ...}`.
 */

/** What a kernel can do besides what every engine can. */
export interface KernelMethods {
  /** Writes files beside the image, and gives their names; of an image that was dropped, the file. */
  keep(replace: boolean, kind: KeptKind): { names: string[] } | Blob;
  train(steps: number): null;
  apply(folder: string): null;
  stop(): null;
}

/** A label image with a table of the nuclei, a ROI set of ImageJ, or detections for QuPath. */
export type KeptKind = 'masks' | 'rois' | 'geojson';

/** Something that a kernel does beside, and how far it is. */
export interface Job {
  kind: 'train' | 'apply';
  /** In words. */
  text: string;
  share: number;
  state: 'running' | 'done' | 'stopped' | 'failed';
}

/** What is there already is not replaced unasked. */
export class KeptProblem extends EngineProblem {}

interface Messenger extends Model {
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
}

interface Reply {
  id: string;
  given?: unknown;
  problem?: string;
  canceled?: boolean;
  /** Whether there is something already that is not replaced unasked. */
  kept?: boolean;
}

interface Waiting {
  resolve: (given: unknown) => void;
  reject: (error: unknown) => void;
}

/** The view's side of its kernel. */
export class KernelEngine implements Engine {
  private readonly waiting = new Map<string, Waiting>();
  private readonly messenger: Messenger;
  private readonly listener: (content: unknown, buffers?: DataView<ArrayBuffer>[]) => void;

  constructor(
    model: Model,
    private readonly events: EngineEvents & { job(job: Job): void },
    /** What is in view, in px of the image: masks there come first. */
    private readonly seen: () => [number, number, number, number],
  ) {
    this.messenger = model as Messenger;
    this.listener = (content, buffers = []) => {
      this.hear(content, buffers);
    };
    model.on('msg:custom', this.listener as () => void);
  }

  async call<Name extends keyof Methods>(method: Name, ...given: Parameters<Methods[Name]>): Promise<ReturnType<Methods[Name]>> {
    const [first, ...others] = given as unknown[];
    const buffers = first instanceof Blob ? [await first.arrayBuffer()] : [];
    return (await this.ask(method, first instanceof Blob ? [null, ...others] : given, buffers)) as ReturnType<Methods[Name]>;
  }

  /** Asks for what only kernels do. */
  async do<Name extends keyof KernelMethods>(method: Name, ...given: Parameters<KernelMethods[Name]>): Promise<ReturnType<KernelMethods[Name]>> {
    return (await this.ask(method, given, [])) as ReturnType<KernelMethods[Name]>;
  }

  destroy(): void {
    try {
      this.messenger.off?.('msg:custom', this.listener as () => void);
    } catch {
      // It finds nobody who waits any more.
    }
    this.waiting.clear();
  }

  private ask(method: string, given: unknown[], buffers: ArrayBuffer[]): Promise<unknown> {
    const id = crypto.getRandomValues(new Uint32Array(2)).join('');
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      try {
        this.messenger.send({ kind: 'call', id, method, given, seen: this.seen() }, undefined, buffers);
      } catch {
        this.waiting.delete(id);
        reject(new Problem('The kernel cannot be reached: run the cell again.'));
      }
    });
  }

  private hear(content: unknown, buffers: DataView<ArrayBuffer>[]): void {
    if (!isRecord(content)) return;
    const { events } = this;
    switch (content.kind) {
      case 'progress':
        events.progress({ what: textOf(content.what) ?? '', share: numberOf(content.share) ?? 0 });
        break;
      case 'early':
        events.early(numberOf(content.version) ?? 0, numberOf(content.nuclei) ?? 0);
        break;
      case 'job':
        events.job({ ...(content as unknown as Job), kind: content.job === 'apply' ? 'apply' : 'train' });
        break;
      case 'answer':
        this.settle(content as unknown as Reply, buffers);
    }
  }

  private settle({ id, given, problem, canceled, kept }: Reply, [data]: DataView<ArrayBuffer>[]): void {
    const asked = this.waiting.get(id);
    this.waiting.delete(id);
    if (!asked) return; // by another view of this kernel's widget
    if (problem !== undefined || canceled === true) {
      const Kind = kept === true ? KeptProblem : EngineProblem;
      asked.reject(new Kind(problem ?? '', canceled === true));
    } else if (data) void withBytes(given, data).then(asked.resolve, asked.reject);
    else asked.resolve(given);
  }
}

/** What an answer gives, with its bytes where the protocol has them: a file, a tile of grey levels, or a deflated one of labels. */
async function withBytes(given: unknown, { buffer, byteOffset, byteLength }: DataView<ArrayBuffer>): Promise<unknown> {
  const bytes = new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
  if (!isRecord(given)) return new Blob([bytes]);
  if (given.of !== 'labels') return { ...given, data: bytes };
  const size = (numberOf(given.width) ?? 0) * (numberOf(given.height) ?? 0);
  const labels = await inflated(bytes, size * Uint32Array.BYTES_PER_ELEMENT, 'deflate');
  return { ...given, labels: new Uint32Array(labels.buffer) };
}
