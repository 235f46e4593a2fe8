import { dataAddress, laidOut } from '../shared/host';
import { PUBLISHED, type Layer } from '../shared/layers';
import { numberTrait, textTrait, type Model } from '../shared/model';
import { fetchPanoramas, type ListedPanorama } from '../shared/panoramalist';
import { Problem } from '../shared/problem';
import { renderOf } from '../shared/render';
import { CELL_STATE } from './cellstate';
import { cellsCsv } from './celltable';
import { drawCells, drawPerRun } from './draw';
import { HubRows, parseDataset } from './hub';
import { CellImages } from './images';
import type { CellSource } from './source';
import { openCells, openImages } from './stored';
import { streamedCells } from './stream';
import { Table } from './table';
import { CellView } from './view';

/** Cells of a draw over all runs. */
const DRAWN = 10_000;

/** Fetches the cells that a model names, and shows them. */
async function load(view: CellView, model: Model, signal: AbortSignal): Promise<void> {
  let panoramas: Promise<Map<string, ListedPanorama>> | null = null;
  const listed = () => {
    const known = textTrait(model, 'panoramas') !== null;
    panoramas ??= known ? fetchPanoramas(dataAddress(model, 'panoramas', signal), signal) : Promise.resolve(new Map());
    return panoramas;
  };
  const stream = textTrait(model, 'stream');
  const source = stream === null ? await storedCells(view, model, listed, signal) : await hubCells(view, model, stream, listed, signal);
  if (source === null) return;
  await laidOut(view.root, signal);
  signal.throwIfAborted();
  view.open(source);
}

/** The cells of a store; null where it has none, which the view then says. */
async function storedCells(view: CellView, model: Model, panoramas: CellSource['panoramas'], signal: AbortSignal): Promise<CellSource | null> {
  const { note, collection } = await openCells(model, signal);
  if (!collection) {
    view.empty(note);
    return null;
  }
  const [thumbnails, images] = await Promise.all([openImages('thumbnails', collection, signal), openImages('full', collection, signal)]);
  const table = new Table(collection, signal);
  const perRun = numberTrait(model, 'per_run');
  return {
    collection,
    table,
    measured: true,
    csv: (cells) => cellsCsv(table, cells),
    draw: (seed) => (perRun === null ? drawCells(collection.cells, DRAWN, seed) : drawPerRun(collection.runs, Math.ceil(perRun), seed)),
    images: (size, most, arrived) => new CellImages(size === 'full' ? images : thumbnails, most, arrived, signal),
    status: () => ({ text: '', failed: false }),
    onStatus: () => undefined,
    panoramas,
  };
}

/** Data sets of which the reader has let the hub be asked, on this page. */
const asked = new Map<string, Promise<HubRows> | null>();

/** The cells of a data set on a hub, which is asked for nothing before the reader says so. */
async function hubCells(
  view: CellView,
  model: Model,
  address: string,
  panoramas: CellSource['panoramas'],
  signal: AbortSignal,
): Promise<CellSource> {
  const dataset = parseDataset(address);
  if (!dataset) throw new Problem('This view names no data set to stream from.');
  if (!asked.has(address)) await view.ask(dataset);
  let opening = asked.get(address) ?? null;
  if (opening === null) {
    view.showProgress(`Asking ${dataset.host} for the data set …`);
    opening = HubRows.open(dataset, signal, (known, of) => {
      if (!signal.aborted) view.showProgress(`Asking ${dataset.host} for the data set: ${known} of ${of} files …`);
    });
    asked.set(address, opening);
    // Asked again, it is tried again.
    opening.catch(() => asked.set(address, null));
  }
  return streamedCells(await opening, numberTrait(model, 'px_per_um'), panoramas, signal);
}

/** The published cells as another host has them, where the model names their data set. */
function streamed(model: Model): Layer | null {
  const dataset = textTrait(model, 'dataset');
  if (dataset === null || !parseDataset(dataset)) return null;
  const hub = new URL(dataset).hostname === 'huggingface.co' ? 'Hugging Face' : new URL(dataset).host;
  return { name: 'streamed', of: PUBLISHED, label: `Published, streamed from ${hub}`, folder: document.baseURI, has: new Set(), stream: dataset };
}

export default {
  render: renderOf((model, el, signal) => new CellView(model, el, signal), load, 'The cells could not be shown in this browser.', {
    data: 'cells',
    noun: 'cells',
    unnamed: 'cells',
    places: { at: CELL_STATE.at, run: CELL_STATE.run, find: CELL_STATE.find, like: CELL_STATE.like },
    more: streamed,
  }),
};
