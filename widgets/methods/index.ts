import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import type { Model } from '../shared/model';
import { renderOf } from '../shared/render';
import { parseComparison } from './comparison';
import { MethodsView } from './view';

/** Fetches the methods that a model's `methods` lists, and shows them. */
async function load(view: MethodsView, model: Model, signal: AbortSignal): Promise<void> {
  const address = dataAddress(model, 'methods', signal);
  const comparison = parseComparison(await fetchText(address, 'The list of methods', signal));
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open(comparison, address);
}

export default {
  render: renderOf((model, el, signal) => new MethodsView(model, el, signal), load, 'The methods could not be shown in this browser.'),
};
