import OpenSeadragon from 'openseadragon';
import { fetchBlob } from './files';
import { overviewLevel, type Pyramid } from './pyramid';

/** A pyramid as OpenSeadragon reads it, its tiles fetched from wherever their addresses lead. */
export function tileSource(pyramid: Pyramid): OpenSeadragon.TileSource {
  const source = new OpenSeadragon.TileSource({
    width: pyramid.width,
    height: pyramid.height,
    tileSize: pyramid.tileSize,
    tileOverlap: pyramid.overlap,
    // Smaller levels show nothing that this one does not.
    minLevel: overviewLevel(pyramid),
    maxLevel: pyramid.maxLevel,
  });
  source.getTileUrl = (level, column, row) => pyramid.tileAddress({ level, column, row });
  return fetchingTiles(source);
}

/** Has the tiles of a source fetched as all files of views are, and given up once they are not wanted any more. */
export function fetchingTiles(source: OpenSeadragon.TileSource): OpenSeadragon.TileSource {
  const requests = new WeakMap<OpenSeadragon.ImageJob, AbortController>();
  source.downloadTileStart = (job) => {
    const request = new AbortController();
    requests.set(job, request);
    fetchBlob(job.src, request.signal).then(
      (blob) => {
        job.finish(blob, null, 'rasterBlob');
      },
      (error: unknown) => {
        if (!request.signal.aborted) job.fail(String(error), null);
      },
    );
  };
  source.downloadTileAbort = (job) => {
    requests.get(job)?.abort();
  };
  return source;
}
