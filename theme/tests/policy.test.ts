import { describe, expect, it } from 'vitest';
import { hostsOf, policyOf, runsWebAssembly, segments } from '../src/policy.js';

describe('the policy of a page', () => {
  const page = {
    type: 'root',
    children: [
      { type: 'container', children: [{ type: 'anywidget', model: { dataset: 'https://huggingface.co/datasets/a/b', cells: 'cells/cells.json' } }] },
      { type: 'anywidget', model: { tileSources: 'https://images.example/one.dzi' } },
      { type: 'anywidget', model: { tileSources: 'own/one.dzi' } },
      { type: 'anywidget', model: { zarr: 'https://images.example/two.ome.zarr' } },
      { type: 'anywidget', model: { zarr: 'https://zarr.example/a/b.ome.zarr' } },
      { type: 'link', url: 'https://other.example/' },
    ],
  };

  it('names the hosts that its views may ask, and no others', () => {
    const hosts = hostsOf(page);
    expect(hosts).toEqual(['https://huggingface.co', 'https://*.hf.co', 'https://*.huggingface.co', 'https://images.example', 'https://zarr.example']);
    const parts = policyOf({ hosts }).split('; ');
    expect(parts).toContain("connect-src 'self' data: blob: https://huggingface.co https://*.hf.co https://*.huggingface.co https://images.example https://zarr.example");
    expect(parts).toContain("img-src 'self' data: blob: https://huggingface.co https://*.hf.co https://*.huggingface.co https://images.example https://zarr.example");
  });

  it('allows WebAssembly where a view decompresses OME-Zarr images, and nowhere else', () => {
    const own = { type: 'root', children: [{ type: 'anywidget', model: { images: 'pyramids/channels.json' } }] };
    expect([runsWebAssembly(page), runsWebAssembly(own)]).toEqual([true, false]);
    expect(policyOf({ webAssembly: runsWebAssembly(page) })).toContain("script-src 'self' 'wasm-unsafe-eval' 'sha256-");
    expect(policyOf({ webAssembly: runsWebAssembly(own) })).not.toContain('wasm');
  });

  it('allows WebAssembly, and no host of data, where a reader segments an own image', () => {
    const own = { type: 'root', children: [{ type: 'anywidget', esm: '/build/segment-0123456789abcdef0123456789abcdef.mjs', model: {} }] };
    expect([runsWebAssembly(own), segments(own)]).toEqual([true, true]);
    expect(segments({ type: 'anywidget', esm: '/build/panorama-0123456789abcdef0123456789abcdef.mjs' })).toBe(false);
    expect(hostsOf(own)).toEqual([]);
  });

  it('allows this site alone where no view asks another', () => {
    expect(hostsOf({ type: 'root', children: [] })).toEqual([]);
    expect(policyOf({})).toContain("connect-src 'self' data: blob:;");
  });
});
