import OpenSeadragon from 'openseadragon';
import { fetchBlob, StatusError } from '../shared/files';
import { isRecord, numberOf } from '../shared/json';
import { Problem } from '../shared/problem';
import { parseDescriptor, type Pyramid } from '../shared/pyramid';
import { fetchingTiles } from '../shared/source';

/** An image of some host, as its description has it. */
export interface HostedImage {
  width: number;
  height: number;
  source: Pyramid | OpenSeadragon.TileSource;
}

/** Fetches the description of an image, a Deep Zoom descriptor or a IIIF `info.json`; `host` names in messages where it is. */
export async function fetchImage(address: string, host: string, signal: AbortSignal): Promise<HostedImage> {
  let text: string;
  try {
    text = await (await fetchBlob(address, signal)).text();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Problem(failureText(error, host));
  }
  const image = text.trimStart().startsWith('{') ? iiifImage(text, address) : deepZoomImage(text, address);
  if (!image) throw new Problem(`What ${host} has at this address is no Deep Zoom or IIIF image.`);
  return image;
}

/** Why a host gave no file, in one line. */
export function failureText(error: unknown, host: string): string {
  if (!(error instanceof StatusError)) return `${host} does not answer: there is no network, or it does not let other sites show its images.`;
  if (error.status === 404 || error.status === 410) return `${host} has no image at this address any more.`;
  return `${host} does not hand out this image now (status ${error.status}).`;
}

function deepZoomImage(text: string, address: string): HostedImage | null {
  const source = parseDescriptor(text, address);
  return source && { width: source.width, height: source.height, source };
}

function iiifImage(text: string, address: string): HostedImage | null {
  const info = parseInfo(text, address);
  if (!info) return null;
  const Source = OpenSeadragon.IIIFTileSource as unknown as new (options: IiifInfo) => OpenSeadragon.TileSource;
  return { width: info.width, height: info.height, source: fetchingTiles(new Source(info)) };
}

export interface IiifInfo extends Record<string, unknown> {
  id: string;
  version: 2 | 3;
  width: number;
  height: number;
}

/**
 * Reads a IIIF `info.json` of version 2 or 3; null where it is none. Its tiles are asked for beside it, whatever host it
 * names: readers were told of no other.
 */
export function parseInfo(text: string, address: string): IiifInfo | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const contexts: unknown[] = [value['@context']].flat();
  const version = ([2, 3] as const).find((number) => contexts.includes(`http://iiif.io/api/image/${number}/context.json`));
  const [width, height] = [numberOf(value.width), numberOf(value.height)];
  if (version === undefined || width === null || height === null || width < 1 || height < 1) return null;
  const id = new URL('.', address).href.replace(/\/$/, '');
  return { ...value, '@id': id, id, version, width, height };
}
