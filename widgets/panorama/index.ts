import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import { textTrait, type Model } from '../shared/model';
import { fetchPanoramas } from '../shared/panoramalist';
import { renderOf } from '../shared/render';
import { PanoramaView } from './view';
import { parseIndex } from './panoramas';
import { VIEW_STATE } from './viewstate';

/** Fetches the panoramas that a model names, and shows them. */
async function load(view: PanoramaView, model: Model, signal: AbortSignal): Promise<void> {
  const address = dataAddress(model, 'index', signal);
  const index = parseIndex(await fetchText(address, 'The list of panoramas', signal), address);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open(index);
  if (textTrait(model, 'panoramas') === null) return;
  // The list of many panoramas is long.
  await view.othersMatter();
  const listed = await fetchPanoramas(dataAddress(model, 'panoramas', signal), signal);
  signal.throwIfAborted();
  view.addListed(listed);
}

export default {
  render: renderOf((model, el, signal) => new PanoramaView(model, el, signal), load, 'The panoramas could not be shown in this browser.', {
    data: 'index',
    noun: 'panoramas to zoom into',
    unnamed: 'panorama',
    places: { view: VIEW_STATE.view },
  }),
};
