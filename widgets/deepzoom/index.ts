import { foreignHost } from '../shared/foreign';
import { dataAddress, laidOut } from '../shared/host';
import { textTrait, type Model } from '../shared/model';
import { renderOf } from '../shared/render';
import { DeepZoomView } from './view';

/**
 * Opens the image that a model names by its `tileSources`: a Deep Zoom descriptor, or the `info.json` of a IIIF image.
 * `picture`, `title`, `credit`, `px_per_um` and `height` may be given; with a `name` the page's address keeps the view.
 */
async function load(view: DeepZoomView, model: Model, signal: AbortSignal): Promise<void> {
  const address = dataAddress(model, 'tileSources', signal);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  const picture = textTrait(model, 'picture') === null ? null : dataAddress(model, 'picture', signal);
  // A picture of another host would ask that host at once.
  const own = picture !== null && foreignHost(picture, document.baseURI) === null ? picture : null;
  view.open({ address, foreign: foreignHost(address, document.baseURI), picture: own });
}

export default {
  render: renderOf((model, el, signal) => new DeepZoomView(model, el, signal), load, 'The image could not be shown in this browser.'),
};
