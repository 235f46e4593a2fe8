import type { Answer, Methods, Progress } from './protocol';

/** What the worker said is wrong; nothing where the work was canceled. */
export class WorkerProblem extends Error {
  constructor(
    message: string,
    readonly canceled: boolean,
  ) {
    super(message);
  }
}

/** The view's side of its worker. */
export class Client {
  private worker: Worker | null = null;
  private address = '';
  private readonly waiting = new Map<number, { resolve: (given: never) => void; reject: (error: Error) => void }>();
  private last = 0;

  constructor(private readonly events: { progress(progress: Progress): void; early(version: number, nuclei: number): void; died(): void }) {}

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
      else this.settle(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.waiting.values()) reject(new WorkerProblem('The work ended unexpectedly, most likely for want of memory.', false));
      this.waiting.clear();
      this.destroy();
      events.died();
    };
    this.worker = worker;
  }

  call<Name extends keyof Methods>(method: Name, ...given: Parameters<Methods[Name]>): Promise<ReturnType<Methods[Name]>> {
    const { worker } = this;
    if (!worker) return Promise.reject(new WorkerProblem('There is no image.', true));
    const id = ++this.last;
    worker.postMessage({ id, method, given });
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  destroy(): void {
    this.worker?.terminate();
    this.worker = null;
    URL.revokeObjectURL(this.address);
  }

  private settle(answer: Exclude<Answer, { progress: unknown } | { version: unknown }>): void {
    const asked = this.waiting.get(answer.id);
    this.waiting.delete(answer.id);
    if ('given' in answer) asked?.resolve(answer.given as never);
    else asked?.reject(new WorkerProblem(answer.problem, answer.canceled === true));
  }
}
