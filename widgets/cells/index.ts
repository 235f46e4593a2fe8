import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import { textTrait, type Model } from '../shared/model';
import { fetchPanoramas, type ListedPanorama } from '../shared/panoramalist';
import { Problem } from '../shared/problem';
import { renderOf } from '../shared/render';
import { CELL_STATE } from './cellstate';
import { parseCells, type Collection } from './collection';
import { parseLayout, Shards } from './shards';
import { CellView } from './view';

/** Most bytes of whole shards that are kept, of a host that hands out no parts of files. */
const SHARD_BYTES = 64_000_000;

/** Fetches the cells that a model names, and shows them. */
async function load(view: CellView, model: Model, signal: AbortSignal): Promise<void> {
  const address = dataAddress(model, 'cells', signal);
  const { note, collection } = parseCells(await fetchText(address, 'The list of cells', signal), address);
  if (!collection) {
    view.empty(note);
    return;
  }
  const [thumbnails, images] = await Promise.all([
    openShards(collection.thumbnails, 'The thumbnails of the cells', collection, signal),
    openShards(collection.images, 'The images of the cells', collection, signal),
  ]);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  let panoramas: Promise<Map<string, ListedPanorama>> | null = null;
  const listed = () => {
    const known = textTrait(model, 'panoramas') !== null;
    panoramas ??= known ? fetchPanoramas(dataAddress(model, 'panoramas', signal), signal) : Promise.resolve(new Map());
    return panoramas;
  };
  view.open({ collection, thumbnails, images, panoramas: listed });
}

async function openShards(address: string, what: string, { cells }: Collection, signal: AbortSignal): Promise<Shards> {
  const layout = parseLayout(await fetchText(`${address}/zarr.json`, what, signal), what);
  if (layout.images !== cells) {
    throw new Problem(`${what} do not belong to this list of cells: there are ${layout.images} for ${cells} cells.`);
  }
  return new Shards(address, layout, SHARD_BYTES);
}

export default {
  render: renderOf((model, el, signal) => new CellView(model, el, signal), load, 'The cells could not be shown in this browser.', {
    data: 'cells',
    noun: 'cells',
    unnamed: 'cells',
    places: { at: CELL_STATE.at, run: CELL_STATE.run, filter: CELL_STATE.filter },
  }),
};
