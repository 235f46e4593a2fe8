import { laidOut } from '../shared/host';
import type { Model } from '../shared/model';
import { renderOf } from '../shared/render';
import { fetchSource } from './source';
import { SegmentView } from './view';

/** Learns what the site has, and waits for an image. */
async function load(view: SegmentView, model: Model, signal: AbortSignal): Promise<void> {
  const source = await fetchSource(model, signal);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open(source);
}

export default {
  render: renderOf((model, el, signal) => new SegmentView(model, el, signal), load, 'Images cannot be segmented in this browser.'),
};
