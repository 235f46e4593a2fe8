import { fetchText } from '../shared/files';
import { foreignHost } from '../shared/foreign';
import { dataAddress, laidOut } from '../shared/host';
import { numberTrait, textTrait, type Model } from '../shared/model';
import { renderOf } from '../shared/render';
import { parseImages } from './images';
import { ChannelView, type Source } from './view';

/**
 * Opens the OME-Zarr image that a model names by its `zarr`, or those that the file of its `images` lists. `title`, `credit`,
 * `px_per_um` and `height` may be given, and `masks_address`, a Deep Zoom pyramid of labels; without it, an image that has
 * labels of its own is shown with these.
 */
async function load(view: ChannelView, model: Model, signal: AbortSignal): Promise<void> {
  const listed = textTrait(model, 'images') !== null;
  const { note, sources } = listed ? await listedSources(model, signal) : { note: '', sources: [singleSource(model, signal)] };
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open(sources, note);
}

async function listedSources(model: Model, signal: AbortSignal): Promise<{ note: string; sources: Source[] }> {
  const address = dataAddress(model, 'images', signal);
  return parseImages(await fetchText(address, 'The list of images', signal), address);
}

function singleSource(model: Model, signal: AbortSignal): Source {
  const address = dataAddress(model, 'zarr', signal);
  return {
    title: textTrait(model, 'title') ?? textTrait(model, 'panorama') ?? 'Image',
    address,
    foreign: foreignHost(address, document.baseURI),
    masks: textTrait(model, 'masks_address') === null ? null : dataAddress(model, 'masks_address', signal),
    labels: true,
    nuclei: null,
    pxPerUm: numberTrait(model, 'px_per_um'),
  };
}

/** Where the code of a decompressor is: on a page beside this module, in a notebook with the kernel. */
async function codecAddress(name: string, model: Model, signal: AbortSignal): Promise<string> {
  if (textTrait(model, 'codecs') === null) return new URL(`codec-${name}.mjs`, import.meta.url).href;
  const text = await fetchText(dataAddress(model, 'codecs', signal) + `codec-${name}.mjs`, `The decompressor ${name}`, signal);
  return URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
}

export default {
  render: renderOf(
    (model, el, signal) => new ChannelView(model, el, signal, (name) => codecAddress(name, model, signal)),
    load,
    'The image could not be shown in this browser.',
  ),
};
