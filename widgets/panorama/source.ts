import OpenSeadragon from 'openseadragon';
import { fetchBlob } from '../shared/files';
import type { Pyramid } from './pyramid';

/** Levels below this have images smaller than the minimap. */
const MIN_LEVEL = 7;

/** A pyramid as OpenSeadragon reads it, its tiles fetched from wherever their address says. */
export function tileSource(pyramid: Pyramid): OpenSeadragon.TileSource {
  const source = new OpenSeadragon.TileSource({
    width: pyramid.width,
    height: pyramid.height,
    tileSize: pyramid.tileSize,
    tileOverlap: pyramid.overlap,
    minLevel: Math.min(MIN_LEVEL, pyramid.maxLevel),
    maxLevel: pyramid.maxLevel,
  });
  const requests = new WeakMap<OpenSeadragon.ImageJob, AbortController>();
  source.getTileUrl = (level, column, row) => pyramid.tileAddress({ level, column, row });
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
