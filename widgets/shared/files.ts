import type { Model } from './model';
import { Problem } from './problem';
import { ZipArchive } from './zip';

/** Where files come from: the web, a zip on the web, or the host's kernel, depending on the address. */
interface Files {
  blob(address: URL, signal: AbortSignal): Promise<Blob>;
}

/** Bytes of a file: from `from` to before `to`, or the last ones, as many as `from` is below 0. */
export interface Span {
  from: number;
  to?: number;
}

/** What a host hands out when it is asked for a part of a file. */
export interface Part {
  data: Uint8Array<ArrayBuffer>;
  /** Bytes of the file, where the host gives its size. */
  size: number | null;
  /** Whether this is the file from its beginning to its end, since the host hands out no parts. */
  whole: boolean;
}

/** A host's answer that is no file: its status, and the seconds after which it may be asked again where it says so. */
export class StatusError extends Error {
  readonly status: number;
  readonly retryAfter: number | null;

  constructor({ status, headers, url }: Response) {
    super(`${status} ${url}`);
    this.status = status;
    const seconds = headers.get('Retry-After') ?? '';
    this.retryAfter = /^\d{1,6}$/.test(seconds) ? Number(seconds) : null;
  }
}

interface Messenger extends Model {
  send(content: unknown): void;
}

interface Request {
  id: string;
  path: string;
  span: Span | null;
  answered(answer: { data: Blob; size: number | null }): void;
  failed(error: Error): void;
}

const KERNEL = 'kernel:';
const IN_ZIP = /^(.*?\.zip)\/(.+)$/i;
/** Requests that wait in the kernel: those behind them can still be given up here. */
const MESSAGES_AT_ONCE = 8;
const PATIENCE_MS = 30_000;

/** Fetches a text; `what` names it in the message if that fails. */
export async function fetchText(address: string, what: string, signal: AbortSignal): Promise<string> {
  const url = new URL(address);
  const impatient = url.protocol === KERNEL ? AbortSignal.timeout(PATIENCE_MS) : null;
  try {
    const blob = await fetchBlob(address, impatient ? AbortSignal.any([signal, impatient]) : signal);
    return await blob.text();
  } catch (error) {
    if (signal.aborted || error instanceof Problem) throw error;
    throw new Problem(
      impatient
        ? `${what} could not be loaded: the notebook's kernel does not answer. It is busy, or has stopped: run this cell again.`
        : `${what} could not be loaded. Check the connection, then reload the page.`,
    );
  }
}

/** Fetches a file; in a zip it has an address such as `https://host/P.zip/intensity.dzi`. */
export function fetchBlob(address: string, signal: AbortSignal): Promise<Blob> {
  const url = new URL(address);
  if (url.protocol === KERNEL) {
    const files = kernels.get(url.host);
    return files ? files.blob(url, signal) : Promise.reject(new Error(`no kernel for ${address}`));
  }
  return (IN_ZIP.test(url.pathname) ? ZIP_FILES : WEB_FILES).blob(url, signal);
}

/** Fetches a part of a file on the web or in a kernel. */
export async function fetchPart(address: string, span: Span, signal: AbortSignal): Promise<Part> {
  const url = new URL(address);
  const files = url.protocol === KERNEL ? kernels.get(url.host) : undefined;
  if (files) {
    const { data, size } = await files.ask(url, span, signal);
    return { data: new Uint8Array(await data.arrayBuffer()), size, whole: false };
  }
  const { from, to } = span;
  const range = from < 0 ? String(from) : `${from}-${to === undefined ? '' : to - 1}`;
  const response = await fetch(url, { headers: { Range: `bytes=${range}` }, signal });
  if (!response.ok) throw new StatusError(response);
  const data = new Uint8Array(await response.arrayBuffer());
  const whole = response.status !== 206;
  // A host of another origin may keep this header to itself.
  const size = /\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '')?.[1];
  return { data, size: whole ? data.byteLength : size === undefined ? null : Number(size), whole };
}

/** The base of addresses of what a model's kernel has, until the signal aborts. */
export function kernelAddress(model: Model, signal: AbortSignal): string {
  const id = randomName();
  kernels.set(id, new KernelFiles(model as Messenger, signal));
  signal.addEventListener('abort', () => {
    kernels.delete(id);
  });
  return `${KERNEL}//${id}/`;
}

const kernels = new Map<string, KernelFiles>();
const archives = new Map<string, Promise<ZipArchive>>();

const WEB_FILES: Files = {
  async blob(address, signal) {
    const response = await fetch(address, { signal });
    if (!response.ok) throw new StatusError(response);
    return response.blob();
  },
};

const ZIP_FILES: Files = {
  async blob(address, signal) {
    const [, path = '', name = ''] = IN_ZIP.exec(address.pathname) ?? [];
    const archive = new URL(path, address).href;
    let opened = archives.get(archive);
    if (!opened) {
      opened = ZipArchive.open(archive);
      archives.set(archive, opened);
      // Asked again, it is tried again.
      opened.catch(() => archives.delete(archive));
    }
    return (await opened).blob(decodeURIComponent(name), signal);
  },
};

/**
 * Files that the kernel sends as messages: `{kind: 'file', id, path}` is answered with the same id and the bytes; with
 * `from`, and `to`, with a part of them, and the `size` of the file.
 */
class KernelFiles implements Files {
  private readonly waiting: Request[] = [];
  private readonly sent = new Map<string, Request>();

  constructor(
    private readonly model: Messenger,
    signal: AbortSignal,
  ) {
    const listener = (content: unknown, buffers: DataView<ArrayBuffer>[] = []) => {
      const { kind, id, error, size } = content as { kind?: unknown; id?: unknown; error?: unknown; size?: unknown };
      const request = kind === 'file' && typeof id === 'string' ? this.sent.get(id) : undefined;
      if (!request) return; // to another view of this model
      this.sent.delete(request.id);
      const [data] = buffers;
      if (data) request.answered({ data: new Blob([data]), size: typeof size === 'number' ? size : null });
      else request.failed(typeof error === 'string' ? new Problem(error) : new Error(`no ${request.path}`));
      this.next();
    };
    model.on('msg:custom', listener as () => void);
    signal.addEventListener('abort', () => {
      try {
        model.off?.('msg:custom', listener as () => void);
      } catch {
        // It finds no request any more.
      }
    });
  }

  async blob(address: URL, signal: AbortSignal): Promise<Blob> {
    return (await this.ask(address, null, signal)).data;
  }

  ask({ pathname }: URL, span: Span | null, signal: AbortSignal): Promise<{ data: Blob; size: number | null }> {
    const done = new AbortController();
    return new Promise<{ data: Blob; size: number | null }>((answered, failed) => {
      const request = { id: randomName(), path: decodeURIComponent(pathname.slice(1)), span, answered, failed };
      const giveUp = () => {
        const at = this.waiting.indexOf(request);
        if (at >= 0) this.waiting.splice(at, 1);
        failed(new DOMException('given up', 'AbortError'));
      };
      signal.addEventListener('abort', giveUp, { signal: done.signal });
      this.waiting.push(request);
      if (signal.aborted) giveUp();
      this.next();
    }).finally(() => {
      done.abort();
    });
  }

  private next(): void {
    while (this.sent.size < MESSAGES_AT_ONCE) {
      const request = this.waiting.shift();
      if (!request) return;
      this.sent.set(request.id, request);
      this.model.send({ kind: 'file', id: request.id, path: request.path, ...request.span });
    }
  }
}

function randomName(): string {
  return Math.random().toString(36).slice(2);
}
