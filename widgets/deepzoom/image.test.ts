import { describe, expect, it, vi } from 'vitest';
import { StatusError } from '../shared/files';
import { foreignHost } from '../shared/foreign';

// OpenSeadragon wants a page as soon as it is loaded.
vi.mock('openseadragon', () => ({ default: { TileSource: Object } }));
const { failureText, parseInfo } = await import('./image');

const PAGE = 'https://book.example/nucleusnet/';
const ADDRESS = 'https://images.example/iiif/one/info.json';
const INFO = { '@context': 'http://iiif.io/api/image/3/context.json', id: 'https://elsewhere.example/one', type: 'ImageService3', width: 900, height: 600 };

describe('the host of an image', () => {
  it('is foreign where the page has another origin', () => {
    expect(foreignHost('https://images.example/a.dzi', PAGE)).toBe('images.example');
    expect(foreignHost('https://book.example:8443/a.dzi', PAGE)).toBe('book.example:8443');
    expect(foreignHost('https://book.example/a.dzi', PAGE)).toBeNull();
    expect(foreignHost('kernel://x/a.dzi', PAGE)).toBeNull();
  });

  it('that gives no image is named with the reason, in one line', () => {
    const status = (status: number) => failureText(new StatusError(new Response('', { status })), 'images.example');
    expect(status(404)).toBe('images.example has no image at this address any more.');
    expect(status(503)).toMatch(/^images.example .*status 503/);
    expect(failureText(new TypeError('Failed to fetch'), 'images.example')).toMatch(/^images.example does not answer: there is no network, or/);
  });
});

describe('the description of a IIIF image', () => {
  it('is read in versions 2 and 3, also among other contexts', () => {
    expect(parseInfo(JSON.stringify(INFO), ADDRESS)).toMatchObject({ version: 3, width: 900, height: 600 });
    const second = { ...INFO, '@context': ['http://example.com/mine.json', 'http://iiif.io/api/image/2/context.json'], '@id': 'https://elsewhere.example/one' };
    expect(parseInfo(JSON.stringify(second), ADDRESS)).toMatchObject({ version: 2 });
  });

  it('has its tiles asked of the host that the reader knows of', () => {
    expect(parseInfo(JSON.stringify(INFO), ADDRESS)).toMatchObject({ id: 'https://images.example/iiif/one', '@id': 'https://images.example/iiif/one' });
  });

  it.each(['{', 'null', '{}', JSON.stringify({ ...INFO, width: 0 }), JSON.stringify({ ...INFO, '@context': 'http://iiif.io/api/presentation/3/context.json' })])(
    'is nothing else: %s',
    (text) => {
      expect(parseInfo(text, ADDRESS)).toBeNull();
    },
  );
});
