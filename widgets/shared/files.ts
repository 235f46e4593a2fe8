import type { Model } from './model';
import { Problem } from './problem';
import { ZipArchive } from './zip';

/** Where files come from: the web, a zip on the web, or the host's kernel. An address tells which. */
interface Files {
  blob(address: URL, signal: AbortSignal): Promise<Blob>;
}

interface Messenger extends Model {
  send(content: unknown): void;
}

interface Request {
  id: string;
  path: string;
  answered(data: Blob): void;
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

/** The base of addresses of what a model's kernel has, until the signal aborts. */
export function kernelAddress(model: Model, signal: AbortSignal): string {
  const id = randomName();
  kernels.set(id, new KernelFiles(model as Messenger, signal));
  signal.addEventListener('abort', () => {
    kernels.delete(id);
  });
  return `${KERNEL}//${id}/`;
}

const kernels = new Map<string, Files>();
const archives = new Map<string, Promise<ZipArchive>>();

const WEB_FILES: Files = {
  async blob(address, signal) {
    const response = await fetch(address, { signal });
    if (!response.ok) throw new Error(`${response.status} ${address.href}`);
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

/** Files that the kernel sends as messages: `{kind: 'file', id, path}` is answered with the same id and the bytes. */
class KernelFiles implements Files {
  private readonly waiting: Request[] = [];
  private readonly sent = new Map<string, Request>();

  constructor(
    private readonly model: Messenger,
    signal: AbortSignal,
  ) {
    const listener = (content: unknown, buffers: DataView<ArrayBuffer>[] = []) => {
      const { kind, id, error } = content as { kind?: unknown; id?: unknown; error?: unknown };
      const request = kind === 'file' && typeof id === 'string' ? this.sent.get(id) : undefined;
      if (!request) return; // to another view of this model
      this.sent.delete(request.id);
      const [data] = buffers;
      if (data) request.answered(new Blob([data]));
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

  blob({ pathname }: URL, signal: AbortSignal): Promise<Blob> {
    const done = new AbortController();
    return new Promise<Blob>((answered, failed) => {
      const request = { id: randomName(), path: decodeURIComponent(pathname.slice(1)), answered, failed };
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
      this.model.send({ kind: 'file', id: request.id, path: request.path });
    }
  }
}

function randomName(): string {
  return Math.random().toString(36).slice(2);
}
