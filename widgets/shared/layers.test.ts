import { describe, expect, it } from 'vitest';
import type { Brushed, State, Shared } from './address';
import { chooseLayer, modelOfLayer, parseLayers, stateOfLayer, type Layer } from './layers';
import type { Model } from './model';

const ADDRESS = 'https://book.example/build/layers.json';
const TEXT = JSON.stringify({
  version: 1,
  layers: [
    { name: 'published', label: 'Published', folder: 'published/', has: ['panoramas', 'cells', 'something new'] },
    { name: 'twin', label: 'Simulated', folder: '', has: ['index', 'panoramas', 'cells', 'mosaic'] },
  ],
});
const LAYERS = parseLayers(TEXT, ADDRESS);
const [PUBLISHED, TWIN] = LAYERS as [Layer, Layer];
const STREAMED: Layer = { ...PUBLISHED, name: 'hub', of: 'published', stream: 'https://hub.example/datasets/a/b' };

describe('the list of layers', () => {
  it('has folders beside it, and only data that views know', () => {
    expect(LAYERS.map(({ folder }) => folder)).toEqual(['https://book.example/build/published/', 'https://book.example/build/']);
    expect([...PUBLISHED.has]).toEqual(['panoramas', 'cells']);
    expect(LAYERS.map(({ label }) => label)).toEqual(['Published', 'Simulated']);
  });

  it('may have a layer without a label', () => {
    const text = JSON.stringify({ layers: [{ name: 'mine', label: null, folder: '', has: [] }] });
    expect(parseLayers(text, ADDRESS)[0]).toMatchObject({ name: 'mine', label: null, folder: 'https://book.example/build/' });
  });

  it.each([
    ['{"layers": [', /damaged and cannot be read/],
    ['{"layers": {}}', /names no layers/],
    ['[]', /names no layers/],
    ['{"layers": [{"name": "a", "folder": ""}, {"name": "", "folder": ""}]}', /entry 2 has no name or no folder/],
    ['{"layers": [{"name": "a"}]}', /entry 1 has no name or no folder/],
  ])('that is damaged is said to be: %s', (text, message) => {
    expect(() => parseLayers(text, ADDRESS)).toThrow(message);
  });
});

describe('the layer that is shown', () => {
  it('is the one chosen, or else the first', () => {
    expect(chooseLayer(LAYERS, 'twin')).toBe(TWIN);
    expect(chooseLayer(LAYERS, null)).toBe(PUBLISHED);
    expect(chooseLayer(LAYERS, 'none of these')).toBe(PUBLISHED);
    expect(chooseLayer([], 'twin')).toBeNull();
  });

  it('is not one on another host before that is chosen', () => {
    expect(chooseLayer([STREAMED, TWIN], null)).toBe(TWIN);
    expect(chooseLayer([STREAMED, TWIN], 'hub')).toBe(STREAMED);
    expect(chooseLayer([STREAMED], null)).toBe(STREAMED);
  });
});

function modelOf(values: Record<string, unknown>): Model {
  return { get: (name) => values[name], set: () => undefined, on: () => undefined };
}

describe('the model of a layer', () => {
  const model = modelOf({ panoramas: 'pyramids/panoramas.json', mosaic: 'mosaic/mosaic.json', viewer: '#fig1a' });

  it('has the addresses inside the layer, of what the layer has', () => {
    expect(modelOfLayer(model, PUBLISHED).get('panoramas')).toBe('https://book.example/build/published/pyramids/panoramas.json');
    expect(modelOfLayer(model, TWIN).get('panoramas')).toBe('https://book.example/build/pyramids/panoramas.json');
    expect(modelOfLayer(model, PUBLISHED).get('mosaic')).toBeNull();
    expect(modelOfLayer(model, TWIN).get('cells')).toBeNull();
  });

  it('keeps the rest, and names the layer', () => {
    const layered = modelOfLayer(model, PUBLISHED);
    expect([layered.get('viewer'), layered.get('layer'), layered.get('layerLabel')]).toEqual(['#fig1a', 'published', 'Published']);
  });
});

describe('the state of a view of a layer', () => {
  const page: { values: Shared } = { values: { panorama: 'a', roi: 3, layer: 'published' } };
  const state: State<Shared> = {
    get: (name) => page.values[name],
    set: (values) => {
      page.values = { ...page.values, ...values };
    },
    onChange: () => undefined,
    query: () => '',
  };
  const [published, twin] = [stateOfLayer(state, 'published'), stateOfLayer(state, 'twin')];

  it('has what was chosen in its layer, and not what was chosen in another that has the same names', () => {
    expect([published.get('panorama'), published.get('roi')]).toEqual(['a', 3]);
    expect([twin.get('panorama'), twin.get('roi')]).toEqual([null, null]);
  });

  it('names its layer with what is chosen in it', () => {
    twin.set({ panorama: 'b', roi: null }, 'push');
    expect(page.values).toEqual({ panorama: 'b', roi: null, layer: 'twin' });
    expect([published.get('panorama'), twin.get('panorama')]).toEqual([null, 'b']);
    twin.set({ roi: 4 }, 'settle');
    expect(page.values).toEqual({ panorama: 'b', roi: 4, layer: 'twin' });
  });

  it('has a choice of which no layer is named', () => {
    page.values = { panorama: 'a', roi: 3, layer: null };
    expect([published.get('panorama'), twin.get('roi')]).toEqual(['a', 3]);
  });

  it('names the layer of a lasso too, and has none of another', () => {
    const values: { all: Shared & Brushed } = {
      all: { panorama: 'a', roi: 3, layer: 'published', lasso: null, lassoed: null, gate: null, gated: null, filter: null, filtered: null },
    };
    const brushed: State<Shared & Brushed> = {
      get: (name) => values.all[name],
      set: (changed) => {
        values.all = { ...values.all, ...changed };
      },
      onChange: () => undefined,
      query: () => '',
    };
    const [one, other] = [stateOfLayer(brushed, 'published'), stateOfLayer(brushed, 'twin')];
    one.set({ lasso: [[0, 0], [1, 0], [1, 1]] }, 'push');
    other.set({ gate: 'a,b;0,0;1,0;1,1' }, 'push');
    expect([values.all.layer, values.all.lassoed, values.all.gated]).toEqual(['published', 'published', 'twin']);
    const before = values.all;
    one.set({ lasso: null }, 'push');
    expect(values.all.lassoed).toBeNull();
    values.all = before;
    expect([one.get('lasso')?.length, other.get('lasso'), one.get('gate'), other.get('gate')]).toEqual([3, null, null, 'a,b;0,0;1,0;1,1']);
  });
});
