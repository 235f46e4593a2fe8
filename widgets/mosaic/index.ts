import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import { textTrait, type Model } from '../shared/model';
import { fetchPanoramas } from '../shared/panoramalist';
import { Problem } from '../shared/problem';
import { renderOf } from '../shared/render';
import { MOSAIC_STATE } from './mosaicstate';
import { parseMosaic, type Mosaic } from './mosaic';
import { parseNames } from './names';
import { MosaicView } from './view';

/** Fetches the mosaic that a model names, and shows it. */
async function load(view: MosaicView, model: Model, signal: AbortSignal): Promise<void> {
  const address = dataAddress(model, 'mosaic', signal);
  const mosaic = parseMosaic(await fetchText(address, 'The mosaic', signal), address);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  const loadNames = () => {
    void fetchNames(view, mosaic, signal);
  };
  view.open(mosaic, loadNames);
  if (mosaic.rows.length === 0) return;
  loadNames();
  if (textTrait(model, 'panoramas') === null) return;
  const panoramas = await fetchPanoramas(dataAddress(model, 'panoramas', signal), signal);
  signal.throwIfAborted();
  view.setPanoramas(panoramas);
}

async function fetchNames(view: MosaicView, { cells, rows }: Mosaic, signal: AbortSignal): Promise<void> {
  const count = rows.reduce((sum, row) => sum + row.cells, 0);
  const names = await (cells === null ? Promise.reject(new Problem('')) : fetchText(cells, 'The names of the cells', signal))
    .then((text) => parseNames(text, count))
    .catch(() => null);
  if (!signal.aborted) view.setNames(names);
}

export default {
  render: renderOf((model, el, signal) => new MosaicView(model, el, signal), load, 'The mosaic could not be shown in this browser.', {
    data: 'mosaic',
    noun: 'mosaics',
    unnamed: 'mosaic',
    places: { view: MOSAIC_STATE.view },
  }),
};
