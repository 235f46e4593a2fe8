import { fetchText } from '../shared/files';
import { dataAddress } from '../shared/host';
import { isRecord, numberOf, resolve, textOf } from '../shared/json';
import type { Model } from '../shared/model';
import { textTrait } from '../shared/model';
import { Problem } from '../shared/problem';
import type { Parts } from './protocol';

/** One of the book's images. */
export interface Example {
  name: string;
  title: string;
  address: string;
  /** A small picture of it. */
  thumbnail: string;
  pxPerUm: number | null;
}

/** What the site has for this view: the model, what runs it, and images to try. */
export interface Source {
  parts: Parts;
  /** Bytes that are loaded with the first image. */
  bytes: number;
  /** Bytes that are loaded besides where there is a graphics card. */
  cardBytes: number;
  examples: Example[];
}

/** Fetches what the site has, which is beside this module unless the model names another place. */
export async function fetchSource(model: Model, signal: AbortSignal): Promise<Source> {
  const inside = sourceInside(model.get('segment'));
  if (inside) return inside;
  const address = textTrait(model, 'segment') === null ? new URL('segment.json', import.meta.url).href : dataAddress(model, 'segment', signal);
  return parseSource(await fetchText(address, 'What segments images', signal), address);
}

/** What a page has inside, as one that is a single file; null where it has none. */
function sourceInside(value: unknown): Source | null {
  if (!isRecord(value)) return null;
  const { worker, model, runtime } = value;
  const [modelSha256, diamMean] = [textOf(value.sha256), numberOf(value.diam_mean_px)];
  if (!(worker instanceof Blob && model instanceof Blob && runtime instanceof Blob) || modelSha256 === null || diamMean === null) return null;
  return { parts: { worker, model, runtime, webgpu: null, modelSha256, diamMean }, bytes: 0, cardBytes: 0, examples: [] };
}

export function parseSource(text: string, base: string): Source {
  const damaged = new Problem('The description of the model is damaged; load the page again.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged;
  }
  if (!isRecord(value)) throw damaged;
  const [worker, model, runtime] = [value.worker, value.model, value.runtime].map(textOf).map((one) => (one === null ? null : resolve(one, base)));
  const [modelSha256, diamMean] = [textOf(value.sha256), numberOf(value.diam_mean_px)];
  if (!worker || !model || !runtime || modelSha256 === null || diamMean === null) throw damaged;
  const card = isRecord(value.webgpu) ? value.webgpu : {};
  const [cardWorker, cardRuntime] = [card.worker, card.runtime].map(textOf).map((one) => (one === null ? null : resolve(one, base)));
  const examples = Array.isArray(value.examples) ? value.examples : [];
  return {
    parts: { worker, model, runtime, webgpu: cardWorker && cardRuntime ? { worker: cardWorker, runtime: cardRuntime } : null, modelSha256, diamMean },
    bytes: numberOf(value.bytes) ?? 0,
    cardBytes: numberOf(card.bytes) ?? 0,
    examples: examples.flatMap((one: unknown): Example[] => {
      if (!isRecord(one)) return [];
      const [name, title, image, thumbnail] = [one.name, one.title, one.image, one.thumbnail].map(textOf);
      const [address, small] = [image, thumbnail].map((each) => (each ? resolve(each, base) : null));
      return name && title && address && small ? [{ name, title, address, thumbnail: small, pxPerUm: numberOf(one.px_per_um) }] : [];
    }),
  };
}
