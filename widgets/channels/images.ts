import { isRecord, numberOf, resolve, textOf } from '../shared/json';
import { Problem } from '../shared/problem';
import type { Source } from './view';

/** Reads the text of a `channels.json`; addresses in it are relative to `address`, its own. */
export function parseImages(text: string, address: string): { note: string; sources: Source[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const images: unknown = isRecord(value) ? value.images : null;
  if (!isRecord(value) || !Array.isArray(images)) throw new Problem('The list of images is damaged and cannot be read.');
  const sources = images.map((entry: unknown, at): Source => {
    const of = isRecord(entry) ? entry : {};
    const [title, zarr] = [textOf(of.panorama), resolve(textOf(of.zarr), address)];
    if (title === null || zarr === null) throw new Problem(`The list of images is damaged: entry ${at + 1} has no name or no address.`);
    const [masks, nuclei] = [resolve(textOf(of.masks), address), resolve(textOf(of.nuclei), address)];
    return { title, address: zarr, foreign: null, masks, labels: false, nuclei, pxPerUm: numberOf(of.px_per_um) };
  });
  return { note: textOf(value.note) ?? '', sources };
}
