import { laidOut } from '../shared/host';
import type { Model } from '../shared/model';
import { renderOf } from '../shared/render';
import { KernelView, NO_SITE } from './kernelview';
import { fetchSource } from './source';
import { SegmentView } from './view';

/** Learns what the site has, where there is one, and waits for an image. */
async function load(view: SegmentView, model: Model, signal: AbortSignal): Promise<void> {
  const source = view instanceof KernelView ? NO_SITE : await fetchSource(model, signal);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open(source);
}

export default {
  render: renderOf((model, el, signal) => new (model.get('engine') === 'kernel' ? KernelView : SegmentView)(model, el, signal), load, 'Images cannot be segmented in this browser.'),
};
