import type { Collection } from '../cells/collection';
import { CellImages } from '../cells/images';
import { openCells, openImages } from '../cells/stored';
import { Table } from '../cells/table';
import { dataAddress, laidOut } from '../shared/host';
import { textTrait, type Model } from '../shared/model';
import { fetchPanoramas, type ListedPanorama } from '../shared/panoramalist';
import { renderOf } from '../shared/render';
import { NUCLEI_STATE } from './nucleistate';
import { Overview } from './overview';
import { NucleiView } from './view';

/** Thumbnails that are kept. */
const KEPT = 256;

/** The overview that cells have; null where they have none, or it can't be read: the whole table says as much. */
async function openOverview({ overview, cells }: Collection, signal: AbortSignal): Promise<Overview | null> {
  try {
    return overview && (await Overview.open(overview, cells, signal));
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** Fetches the cells that a model names, and shows them in a plane. */
async function load(view: NucleiView, model: Model, signal: AbortSignal): Promise<void> {
  const { note, collection } = await openCells(model, signal);
  if (!collection) {
    view.none(note || 'There are no cells in this build of the book.');
    return;
  }
  const table = new Table(collection, signal);
  const overview = await openOverview(collection, signal);
  const measures = await (overview ?? table).measures();
  let listed: Promise<ReadonlyMap<string, ListedPanorama>> | null = null;
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  if (measures.length < 2) {
    view.none('Fewer than two measurements of these cells are known: there is no plane to show them in.');
    return;
  }
  view.open({
    collection,
    table,
    overview,
    measures,
    thumbnails: async (arrived) => new CellImages(await openImages('thumbnails', collection, signal), KEPT, arrived, signal),
    panoramas: () => {
      const known = textTrait(model, 'panoramas') !== null;
      listed ??= known ? fetchPanoramas(dataAddress(model, 'panoramas', signal), signal) : Promise.resolve(new Map());
      return listed;
    },
  });
}

export default {
  render: renderOf((model, el, signal) => new NucleiView(model, el, signal), load, 'The nuclei could not be shown in this browser.', {
    data: 'cells',
    noun: 'cells',
    unnamed: 'nuclei',
    places: { axes: NUCLEI_STATE.axes, gate: NUCLEI_STATE.gate },
  }),
};
