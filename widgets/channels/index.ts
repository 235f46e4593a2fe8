import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import { foreignHost } from '../shared/foreign';
import { textTrait, type Model } from '../shared/model';
import { renderOf } from '../shared/render';
import { ChannelView } from './view';

/**
 * Opens the OME-Zarr image that a model names by its `zarr`. `title`, `credit`, `px_per_um` and `height` may be given, and
 * `masks_address`, a Deep Zoom pyramid of labels.
 */
async function load(view: ChannelView, model: Model, signal: AbortSignal): Promise<void> {
  const address = dataAddress(model, 'zarr', signal);
  const masks = textTrait(model, 'masks_address') === null ? null : dataAddress(model, 'masks_address', signal);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open({ address, foreign: foreignHost(address, document.baseURI), masks, codecs: (name) => codecAddress(name, model, signal) });
}

/** Where the code of a decompressor is: on a page beside this module, in a notebook with the kernel. */
async function codecAddress(name: string, model: Model, signal: AbortSignal): Promise<string> {
  if (textTrait(model, 'codecs') === null) return new URL(`codec-${name}.mjs`, import.meta.url).href;
  const text = await fetchText(dataAddress(model, 'codecs', signal) + `codec-${name}.mjs`, `The decompressor ${name}`, signal);
  return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
}

export default {
  render: renderOf((model, el, signal) => new ChannelView(model, el, signal), load, 'The image could not be shown in this browser.'),
};
