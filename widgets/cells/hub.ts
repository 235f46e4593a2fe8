import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from 'hyparquet';
import { fetchPart, StatusError } from '../shared/files';
import { isRecord, numberOf, textOf } from '../shared/json';
import { Problem } from '../shared/problem';

/** A data set on a Hugging Face hub. */
export interface DatasetName {
  /** The hub's address, without a slash at the end. */
  hub: string;
  host: string;
  /** Owner and name. */
  name: string;
}

/** Rows of a file that are stored together, and read together. */
export interface Block {
  file: number;
  /** Its first row: of the file, and of the data set. */
  inFile: number;
  first: number;
  rows: number;
}

/** What a row has: the file of an image, and its name where there is one. */
export interface HubRow {
  bytes: Uint8Array<ArrayBuffer> | null;
  name: string | null;
}

/** Requests at once: a hub counts them, and its readers as well. */
const AT_ONCE = 3;
/** As much as is read at first of a file: its footer, mostly. */
const TAIL_BYTES = 1 << 17;
/** Most rows of a block: a larger row group is read in parts, by its index of pages. */
const BLOCK_ROWS = 100;
/** Most bytes of a block: more would keep a reader waiting for a cell. */
const BLOCK_BYTES = 1 << 25;
/** Pages of the list of files: a thousand each. */
const LIST_PAGES = 20;

interface StoredFile {
  address: string;
  size: number;
}

interface OpenedFile extends StoredFile {
  metadata: FileMetaData;
  tail: ArrayBuffer;
  named: boolean;
}

/** The data set at an address such as `https://huggingface.co/datasets/OWNER/NAME`; null where that is none. */
export function parseDataset(address: string): DatasetName | null {
  if (!URL.canParse(address)) return null;
  const { origin, host, pathname, protocol } = new URL(address);
  const [, name] = /^\/datasets\/([\w.-]+\/[\w.-]+)\/?$/.exec(pathname) ?? [];
  return /^https?:$/.test(protocol) && name !== undefined ? { hub: origin, host, name } : null;
}

/** The rows of a data set of images: where they are is read once, and then only what is asked for. */
export class HubRows {
  private constructor(
    readonly dataset: DatasetName,
    readonly rows: number,
    readonly blocks: readonly Block[],
    private readonly files: readonly OpenedFile[],
  ) {}

  /** Reads where a data set has its rows; `progress` says how many of its files are known. */
  static async open(dataset: DatasetName, signal: AbortSignal, progress: (known: number, of: number) => void = () => undefined): Promise<HubRows> {
    try {
      const listed = await listFiles(dataset, signal);
      if (listed.length === 0) throw new Problem(`The data set ${dataset.name} has no Parquet files to stream from.`);
      const files = await openAll(listed, signal, progress);
      const blocks: Block[] = [];
      let first = 0;
      files.forEach(({ metadata }, file) => {
        let inFile = 0;
        for (const group of metadata.row_groups) {
          const count = Number(group.num_rows);
          for (let at = 0; at < count; at += BLOCK_ROWS) {
            const rows = Math.min(BLOCK_ROWS, count - at);
            blocks.push({ file, inFile: inFile + at, first: first + inFile + at, rows });
          }
          inFile += count;
        }
        first += inFile;
      });
      return new HubRows(dataset, first, blocks, files);
    } catch (error) {
      if (signal.aborted || error instanceof Problem) throw error;
      throw new Problem(hubFailure(error, dataset));
    }
  }

  /** Reads the rows of a block. */
  async read({ file: number, inFile, rows }: Block, signal: AbortSignal): Promise<HubRow[]> {
    const file = this.files[number];
    if (!file) throw new Error('no such file');
    const { metadata, named, size } = file;
    const read = await parquetReadObjects({
      file: bufferOf(file, size, file.tail, signal, BLOCK_BYTES),
      metadata,
      columns: named ? ['image', 'filename'] : ['image'],
      rowStart: inFile,
      rowEnd: inFile + rows,
      useOffsetIndex: metadata.row_groups.every(({ columns }) => columns.every((column) => column.offset_index_offset !== undefined)),
      utf8: false, // what is a text is marked as one
    });
    return read.map((row): HubRow => {
      const image = isRecord(row.image) ? row.image : {};
      const bytes = image.bytes instanceof Uint8Array ? (image.bytes as Uint8Array<ArrayBuffer>) : null;
      return { bytes, name: textOf(row.filename) ?? textOf(image.path) };
    });
  }
}

/** Why a hub does not hand out a data set, in one line. */
export function hubFailure(error: unknown, { host, name }: DatasetName): string {
  if (!(error instanceof StatusError)) {
    return error instanceof TypeError
      ? `${host} does not answer: there is no network, or it is not allowed here.`
      : `What ${host} has of the data set ${name} could not be read.`;
  }
  const { status, retryAfter } = error;
  if (status === 429) return `${host} has had too many requests from here; ask again ${retryAfter === null ? 'in some minutes' : `in ${retryAfter} s`}.`;
  if (status === 404) return `${host} has no data set ${name}.`;
  if (status === 401 || status === 403) return `The data set ${name} on ${host} is not public.`;
  return `${host} does not hand out the data set ${name} now (status ${status}).`;
}

/** The Parquet files of a data set: its own, or else those that the hub made of it. */
async function listFiles({ hub, name }: DatasetName, signal: AbortSignal): Promise<StoredFile[]> {
  const files: StoredFile[] = [];
  let next: string | null = `${hub}/api/datasets/${name}/tree/main?recursive=true`;
  for (let page = 0; next !== null && page < LIST_PAGES; page++) {
    const response: Response = await ask(next, signal);
    const entries: unknown = await response.json();
    for (const entry of Array.isArray(entries) ? (entries as unknown[]) : []) {
      const { path, size } = isRecord(entry) ? { path: textOf(entry.path), size: numberOf(entry.size) } : { path: null, size: null };
      if (path === null || size === null || !path.endsWith('.parquet')) continue;
      files.push({ address: `${hub}/datasets/${name}/resolve/main/${path.split('/').map(encodeURIComponent).join('/')}`, size });
    }
    const link = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('Link') ?? '')?.[1];
    next = link !== undefined && URL.canParse(link) && new URL(link).origin === hub ? link : null;
  }
  if (files.length > 0) return files.sort((a, b) => (a.address < b.address ? -1 : 1));
  const made: unknown = await (await ask(`${hub}/api/datasets/${name}/parquet`, signal)).json();
  const [splits] = isRecord(made) ? Object.values(made) : [];
  const addresses = (isRecord(splits) ? Object.values(splits) : []).flat().filter((one): one is string => typeof one === 'string');
  return Promise.all(
    addresses.map(async (address) => {
      const response = await ask(address, signal, 'HEAD');
      return { address, size: Number(response.headers.get('Content-Length')) };
    }),
  );
}

async function ask(address: string, signal: AbortSignal, method = 'GET'): Promise<Response> {
  const response = await fetch(address, { method, signal });
  if (!response.ok) throw new StatusError(response);
  return response;
}

async function openAll(listed: StoredFile[], signal: AbortSignal, progress: (known: number, of: number) => void): Promise<OpenedFile[]> {
  const files: OpenedFile[] = [];
  let [next, known] = [0, 0];
  const worker = async () => {
    for (let at = next++; at < listed.length; at = next++) {
      const file = listed[at];
      if (!file) return;
      files[at] = await openFile(file, signal);
      known += 1;
      progress(known, listed.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, listed.length) }, worker));
  return files;
}

async function openFile(file: StoredFile, signal: AbortSignal): Promise<OpenedFile> {
  const from = Math.max(0, file.size - TAIL_BYTES);
  const { data, whole } = await fetchPart(file.address, { from, to: file.size }, signal);
  if (whole && from > 0) throw new Problem(`${new URL(file.address).host} hands out whole files only; this data set cannot be streamed.`);
  const tail = data.slice().buffer;
  const metadata = await parquetMetadataAsync(bufferOf(file, file.size, tail, signal, BLOCK_BYTES), { initialFetchSize: tail.byteLength });
  const columns = new Set(metadata.schema.map(({ name }) => name));
  if (!columns.has('image') || !columns.has('bytes')) throw new Problem(`The data set at ${new URL(file.address).host} has no images.`);
  return { ...file, metadata, tail, named: columns.has('filename') };
}

/** A file as hyparquet reads it: its end is at hand, the rest is fetched, of at most `most` bytes at once. */
function bufferOf({ address }: StoredFile, byteLength: number, tail: ArrayBuffer, signal: AbortSignal, most: number): AsyncBuffer {
  const start = byteLength - tail.byteLength;
  return {
    byteLength,
    slice: async (from, to = byteLength) => {
      if (from >= start) return tail.slice(from - start, to - start);
      if (to - from > most) throw new Problem('The images of this data set are stored in pieces too large to be streamed.');
      const { data, whole } = await fetchPart(address, { from, to }, signal);
      const bytes = whole ? data.subarray(from, to) : data;
      if (bytes.byteLength !== to - from) throw new Error(`${address} is cut off`);
      return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
    },
  };
}
