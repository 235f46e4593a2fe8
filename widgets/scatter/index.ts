import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import type { Model } from '../shared/model';
import { parsePanoramaList } from '../shared/panoramalist';
import { renderOf } from '../shared/render';
import { SCATTER_STATE } from './scatterstate';
import { ScatterView } from './view';

/** Fetches the panoramas that a model names, and shows them. */
async function load(view: ScatterView, model: Model, signal: AbortSignal): Promise<void> {
  const address = dataAddress(model, 'panoramas', signal);
  const list = parsePanoramaList(await fetchText(address, 'The table of panoramas', signal), address);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open(list);
}

export default {
  render: renderOf((model, el, signal) => new ScatterView(model, el, signal), load, 'The panoramas could not be shown in this browser.', {
    data: 'panoramas',
    noun: 'panoramas',
    unnamed: 'scatter',
    places: { axes: SCATTER_STATE.axes, lasso: SCATTER_STATE.lasso },
  }),
};
