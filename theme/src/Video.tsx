import type { Node } from './node.js';

const FILM = /\.(?:mp4|mov|avi|webm)$/i;

export function isFilm(node: Node): boolean {
  return FILM.test(node.url ?? '');
}

/** A film plays when the reader asks for it; only its length and first picture are fetched before. */
export function Video({ node }: { node: Node }) {
  return <video className={['picture', node.class].filter(Boolean).join(' ')} src={node.url} aria-label={node.alt ?? node.title ?? 'Film'} style={{ width: node.width }} controls playsInline preload="metadata" />;
}
