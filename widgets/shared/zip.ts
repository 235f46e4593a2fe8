import { Problem } from './problem';

interface Entry {
  offset: number;
  /** Bytes as stored. */
  size: number;
  deflated: boolean;
  nameBytes: number;
}

/** The end record is within so many bytes of the end, its comment included. */
const TAIL = 66_000;
/** A file's own header may have more in its extra field than the directory has. */
const SLACK = 64;
/** A zip of at most so many bytes is fetched as a whole where it cannot be had in parts. */
const WHOLE_BYTES = 4e6;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const IN_DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;

/** A zip on the web of which single files are fetched, by ranges of bytes; its directory is read once. */
export class ZipArchive {
  private constructor(
    private readonly address: string,
    private readonly entries: Map<string, Entry>,
    private readonly end: number,
    /** All of it, where the host hands out no parts and it is small. */
    private readonly whole: DataView<ArrayBuffer> | null,
  ) {}

  static async open(address: string): Promise<ZipArchive> {
    const name = nameOf(address);
    const head = await fetch(address, { method: 'HEAD' });
    await head.text(); // which is empty; unread, Chromium calls the request given up
    const size = Number(head.headers.get('Content-Length'));
    if (!head.ok || size === 0) throw new Problem(`${name} could not be loaded. Check the connection, then reload the page.`);
    const start = Math.max(0, size - TAIL);
    const fetched = await fetchRange(address, start, size, { whole: size <= WHOLE_BYTES });
    const whole = fetched.byteLength === size ? fetched : null;
    const tail = whole ? part(whole, start, size - start) : fetched;
    const directory = findDirectory(tail);
    if (!directory) throw new Problem(`${name} is damaged or no zip file.`);
    const { offset, bytes } = directory;
    const view = offset >= start ? part(tail, offset - start, bytes) : await fetchRange(address, offset, offset + bytes, {});
    return new ZipArchive(address, readDirectory(view), offset, whole);
  }

  async blob(name: string, signal: AbortSignal): Promise<Blob> {
    const entry = this.entries.get(name);
    if (!entry) throw new Problem(`${nameOf(this.address)} has no file ${name}.`);
    const data = await this.data(entry, signal);
    const stored = new Blob([data]);
    if (!entry.deflated) return stored;
    return new Response(stored.stream().pipeThrough(new DecompressionStream('deflate-raw'))).blob();
  }

  private async data({ offset, size, nameBytes }: Entry, signal: AbortSignal): Promise<DataView<ArrayBuffer>> {
    const end = Math.min(this.end, offset + 30 + nameBytes + SLACK + size);
    const view = await this.range(offset, end, signal);
    if (view.byteLength < 30 || view.getUint32(0, true) !== LOCAL) throw new Problem(`${nameOf(this.address)} is damaged.`);
    const start = 30 + view.getUint16(26, true) + view.getUint16(28, true);
    if (start + size <= view.byteLength) return part(view, start, size);
    return this.range(offset + start, offset + start + size, signal);
  }

  private async range(from: number, to: number, signal: AbortSignal): Promise<DataView<ArrayBuffer>> {
    return this.whole ? part(this.whole, from, to - from) : fetchRange(this.address, from, to, { signal });
  }
}

/** Fetches a part of a file; with `whole`, all of it where the host hands out no parts. */
async function fetchRange(address: string, from: number, to: number, { signal, whole = false }: { signal?: AbortSignal; whole?: boolean }): Promise<DataView<ArrayBuffer>> {
  const request = new AbortController();
  const abort = () => {
    request.abort();
  };
  signal?.addEventListener('abort', abort);
  try {
    if (signal?.aborted) abort();
    const response = await fetch(address, { headers: { Range: `bytes=${from}-${to - 1}` }, signal: request.signal });
    if (response.status !== 206 && !(whole && response.ok)) {
      request.abort(); // else the whole file would come
      throw new Problem(
        response.ok
          ? `The host of ${nameOf(address)} hands out whole files only, not parts of them. Unpack the zip there, or move it to a host that answers range requests.`
          : `${nameOf(address)} could not be loaded. Check the connection, then reload the page.`,
      );
    }
    return new DataView(await response.arrayBuffer());
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Where the directory is, by the end record. */
function findDirectory(tail: DataView): { offset: number; bytes: number } | null {
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    // With more than 65,535 files, or beyond 4 GB, there is a larger record, and a pointer to it, before this one.
    const large = at - 76;
    if (large >= 0 && tail.getUint32(large, true) === END_64) {
      return { offset: Number(tail.getBigUint64(large + 48, true)), bytes: Number(tail.getBigUint64(large + 40, true)) };
    }
    return { offset: tail.getUint32(at + 16, true), bytes: tail.getUint32(at + 12, true) };
  }
  return null;
}

function readDirectory(view: DataView<ArrayBuffer>): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const decoder = new TextDecoder();
  for (let at = 0; at + 46 <= view.byteLength && view.getUint32(at, true) === IN_DIRECTORY; ) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [number, number, number];
    const name = decoder.decode(part(view, at + 46, nameBytes));
    const entry = { offset: view.getUint32(at + 42, true), size: view.getUint32(at + 20, true), deflated: view.getUint16(at + 10, true) === 8, nameBytes };
    if (entry.offset === 0xffffffff) entry.offset = largeOffset(part(view, at + 46 + nameBytes, extraBytes), entry.size, view.getUint32(at + 24, true));
    entries.set(name, entry);
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/** The offset in the extra field for large zips: it comes after those sizes that are too large for the directory. */
function largeOffset(extra: DataView, stored: number, full: number): number {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    const before = [stored, full].filter((size) => size === 0xffffffff).length;
    return Number(extra.getBigUint64(at + 4 + 8 * before, true));
  }
  return 0;
}

function part(view: DataView<ArrayBuffer>, start: number, bytes: number): DataView<ArrayBuffer> {
  return new DataView(view.buffer, view.byteOffset + start, bytes);
}

function nameOf(address: string): string {
  return decodeURIComponent(new URL(address).pathname.split('/').at(-1) ?? address);
}
