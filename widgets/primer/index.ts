import { fetchText } from '../shared/files';
import { dataAddress, laidOut } from '../shared/host';
import type { Model } from '../shared/model';
import { Problem } from '../shared/problem';
import { renderOf } from '../shared/render';
import { augmentation } from './augmentation';
import { convolution } from './convolution';
import { descent } from './descent';
import { difficulties } from './difficulties';
import { Live } from './live';
import { overfitting } from './overfitting';
import { pooling } from './pooling';
import { receptive } from './receptive';
import { skips } from './skips';
import { tasks } from './tasks';
import { PrimerView, type Stage } from './view';
import { ways } from './ways';

/** Each kind of figure: what it shows of its file. */
const FIGURES: Readonly<Record<string, (live: Live, stage: Stage) => void>> = {
  augmentation,
  convolution,
  descent,
  difficulties,
  overfitting,
  pooling,
  receptive,
  skips,
  tasks,
  ways,
};

/** Fetches the file that a model names, and shows its figure. */
async function load(view: PrimerView, model: Model, signal: AbortSignal): Promise<void> {
  const live = await Live.parse(await fetchText(dataAddress(model, 'data', signal), 'The file of this figure', signal));
  const figure = FIGURES[live.figure];
  if (figure === undefined) throw new Problem(`This version of the book has no figure named ${live.figure}.`);
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open((stage) => {
    figure(live, stage);
  });
}

export default {
  render: renderOf((model, el, signal) => new PrimerView(model, el, signal), load, 'The figure could not be shown in this browser.'),
};
