import { EngineProblem, type Engine, type EngineEvents } from './engine';
import type { Answer, Methods } from './protocol';

/** The view's side of its worker. */
export class Client implements Engine {
  private worker: Worker | null = null;
  private address = '';
  private readonly waiting = new Map<number, { resolve: (given: never) => void; reject: (error: Error) => void }>();
  private last = 0;

  constructor(private readonly events: EngineEvents) {}

  get isStarted(): boolean {
    return this.worker !== null;
  }

  /** Starts the worker. From a blob it is bound by the policy of the page, which lets it ask no other host. */
  start(code: string): void {
    const { events } = this;
    this.address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const worker = new Worker(this.address, { name: 'segmenter' });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ('progress' in data) events.progress(data.progress);
      else if ('version' in data) events.early(data.version, data.nuclei);
      else if ('remark' in data) events.remark(data.remark);
      else this.settle(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.waiting.values()) reject(new EngineProblem('The work ended unexpectedly, most likely for want of memory.', false));
      this.waiting.clear();
      this.destroy();
      events.died();
    };
    this.worker = worker;
  }

  call<Name extends keyof Methods>(method: Name, ...given: Parameters<Methods[Name]>): Promise<ReturnType<Methods[Name]>> {
    const { worker } = this;
    if (!worker) return Promise.reject(new EngineProblem('There is no image.', true));
    const id = ++this.last;
    worker.postMessage({ id, method, given });
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  destroy(): void {
    this.worker?.terminate();
    this.worker = null;
    URL.revokeObjectURL(this.address);
  }

  private settle(answer: Exclude<Answer, { progress: unknown } | { version: unknown } | { remark: unknown }>): void {
    const asked = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if ('given' in answer) asked?.resolve(answer.given as never);
    else asked?.reject(new EngineProblem(answer.problem, answer.canceled === true));
  }
}
