import { fetchText } from '../shared/files';
import { dataAddress } from '../shared/host';
import type { Model } from '../shared/model';
import { Problem } from '../shared/problem';
import { parseCells, type Collection } from './collection';
import { parseLayout, Shards } from './shards';

/** Most bytes of whole shards that are kept, of a host that hands out no parts of files. */
const SHARD_BYTES = 64_000_000;

/** What the store that a model names says of itself; the collection is null where it has no cells. */
export async function openCells(model: Model, signal: AbortSignal): Promise<{ note: string; collection: Collection | null }> {
  const address = dataAddress(model, 'cells', signal);
  return parseCells(await fetchText(address, 'The list of cells', signal), address);
}

/** The images of a store in one size. */
export async function openImages(size: 'thumbnails' | 'full', collection: Collection, signal: AbortSignal): Promise<Shards> {
  const address = size === 'full' ? collection.images : collection.thumbnails;
  const what = size === 'full' ? 'The images of the cells' : 'The thumbnails of the cells';
  const layout = parseLayout(await fetchText(`${address}/zarr.json`, what, signal), what);
  const held = collection.shards ?? evenly(collection.cells, layout.perShard);
  const images = held.slice(0, -1).length * layout.perShard + (held.at(-1) ?? 0);
  if (layout.images !== images || held.some((cells) => cells > layout.perShard)) {
    throw new Problem(`${what} do not belong to this list of cells: there are ${layout.images} where ${images} are expected.`);
  }
  return new Shards(address, layout, held, SHARD_BYTES, size === 'thumbnails' ? collection.draw : null);
}

/** How many cells shards hold that are all full but for the last. */
function evenly(cells: number, perShard: number): number[] {
  return Array.from({ length: Math.ceil(cells / perShard) }, (_, shard) => Math.min(perShard, cells - shard * perShard));
}
