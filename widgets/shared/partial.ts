import { fetchPart, type Span } from './files';

/** Work that several may wait for: given up once none of them does any more, and started again after it has failed. */
export class Joint<T> {
  private running: { result: Promise<T>; control: AbortController; waiting: number } | null = null;

  constructor(private readonly work: (signal: AbortSignal) => Promise<T>) {}

  async get(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const running = (this.running ??= this.start());
    running.waiting += 1;
    const leave = () => {
      running.waiting -= 1;
      if (running.waiting > 0) return;
      running.control.abort();
      if (this.running === running) this.running = null;
    };
    signal.addEventListener('abort', leave, { signal: running.control.signal });
    try {
      const result = await running.result;
      signal.throwIfAborted();
      return result;
    } catch (error) {
      if (this.running === running && !signal.aborted) this.running = null;
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private start() {
    const control = new AbortController();
    const result = this.work(control.signal);
    result.catch(() => undefined); // those who wait get the error
    return { result, control, waiting: 0 };
  }
}

/** Whether a host hands out whole files only: asked once, by the first request to it. */
const hosts = new Map<string, Promise<boolean>>();

/** A file of which parts are read; of a host that hands out no parts, all of it is fetched once, and kept. */
export class PartialFile {
  private readonly all: Joint<Uint8Array<ArrayBuffer>>;
  private kept: Uint8Array<ArrayBuffer> | null = null;

  constructor(readonly address: string) {
    this.all = new Joint(async (signal) => {
      this.kept = (await fetchPart(address, { from: 0 }, signal)).data;
      return this.kept;
    });
  }

  /** Bytes that are kept, where all of it was fetched. */
  get bytesKept(): number {
    return this.kept?.byteLength ?? 0;
  }

  /** The bytes of a span, and how many the file has where that is known. Fewer come where the file ends before. */
  async read(span: Span, signal: AbortSignal): Promise<{ data: Uint8Array<ArrayBuffer>; size: number | null }> {
    const before = this.fromKept(span);
    if (before) return before;
    const { protocol, host } = new URL(this.address);
    const name = `${protocol}${host}`;
    const known = hosts.get(name);
    if (known) {
      const wholeOnly = await known;
      signal.throwIfAborted();
      if (wholeOnly) return this.fromKept(span) ?? cut(await this.all.get(signal), span);
      return this.ask(span, signal);
    }
    let whole = false;
    const first = this.ask(span, signal, () => { whole = true; });
    hosts.set(
      name,
      first.then(
        () => whole,
        () => {
          hosts.delete(name);
          return false;
        },
      ),
    );
    return first;
  }

  private fromKept(span: Span) {
    return this.kept ? cut(this.kept, span) : null;
  }

  private async ask(span: Span, signal: AbortSignal, wholeOnly?: () => void) {
    const { data, size, whole } = await fetchPart(this.address, span, signal);
    if (!whole) return { data, size };
    wholeOnly?.();
    this.kept = data;
    return cut(data, span);
  }
}

function cut(all: Uint8Array<ArrayBuffer>, { from, to }: Span) {
  return { data: all.slice(from, to), size: all.byteLength };
}
