import type { NetworkAnswer, NetworkStart, NetworkTile } from './network';

/** What runs the network over tiles, so many at a time. */
export interface Runner {
  readonly size: number;
  /** What the network makes of a tile, whose data it takes. */
  run(data: Float32Array<ArrayBuffer>, width: number, height: number): Promise<Float32Array>;
  end(): void;
}

/** Runs the network over tiles in several workers at a time. */
export class NetworkPool implements Runner {
  private readonly workers: Worker[] = [];
  private readonly idle: Worker[] = [];
  private readonly waiting: ((worker: Worker) => void)[] = [];
  private readonly broken: ((error: Error) => void)[] = [];
  private problem: Error | null = null;

  private constructor(private readonly count: number) {}

  static async start(address: string, count: number, { runtime, model }: NetworkStart): Promise<NetworkPool> {
    const pool = new NetworkPool(count);
    const started = Array.from({ length: count }, () => {
      const worker = new Worker(address, { name: 'network' });
      pool.workers.push(worker);
      return new Promise<void>((resolve, reject) => {
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message || 'a worker did not start'));
        };
        worker.onmessage = ({ data }: MessageEvent<NetworkAnswer>) => {
          if ('ready' in data) {
            pool.idle.push(worker);
            resolve();
          } else reject(new Error('problem' in data ? data.problem : 'no answer'));
        };
        worker.postMessage({ runtime, model } satisfies NetworkStart);
      });
    });
    try {
      await Promise.all(started);
    } catch (error) {
      pool.end();
      throw error;
    }
    return pool;
  }

  get size(): number {
    return this.count;
  }

  async run(data: Float32Array<ArrayBuffer>, width: number, height: number): Promise<Float32Array> {
    const worker = await this.free();
    return new Promise<Float32Array>((resolve, reject) => {
      const done = () => {
        const next = this.waiting.shift();
        if (next) next(worker);
        else this.idle.push(worker);
      };
      this.broken.push(reject);
      worker.onerror = (event) => {
        event.preventDefault();
        this.fail(new Error(event.message || 'a worker ended'));
      };
      worker.onmessage = ({ data: answer }: MessageEvent<NetworkAnswer>) => {
        this.broken.splice(this.broken.indexOf(reject), 1);
        if ('data' in answer) {
          done();
          resolve(answer.data);
        } else this.fail(new Error('problem' in answer ? answer.problem : 'no answer'), reject);
      };
      worker.postMessage({ at: 0, width, height, data } satisfies NetworkTile, [data.buffer]);
    });
  }

  end(): void {
    for (const worker of this.workers) worker.terminate();
    this.fail(new Error('ended'));
  }

  private free(): Promise<Worker> {
    if (this.problem) return Promise.reject(this.problem);
    const worker = this.idle.pop();
    return worker ? Promise.resolve(worker) : new Promise((resolve) => this.waiting.push(resolve));
  }

  private fail(error: Error, ...more: ((error: Error) => void)[]): void {
    this.problem ??= error;
    for (const reject of [...this.broken.splice(0), ...more]) reject(error);
  }
}
