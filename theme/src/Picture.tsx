import type { Node } from './node.js';
import { isFilm, Video } from './Video.js';

interface Size { width: number; height: number }

export function Picture({ node }: { node: Node }) {
  if (isFilm(node)) return <Video node={node} />;
  const size = node.data?.size as Size | undefined;
  const width = /^\d+$/.test(node.width ?? '') ? `${node.width ?? ''}px` : node.width;
  return (
    <img
      className={['picture', node.class, node.align === undefined ? undefined : `align-${node.align}`].filter(Boolean).join(' ')}
      src={node.url}
      alt={node.alt ?? ''}
      width={size?.width}
      height={size?.height}
      style={width === undefined ? undefined : { width }}
      loading="lazy"
      decoding="async"
    />
  );
}

/** A page of another host is linked to, not framed: this site asks no other host for anything. */
export function Frame({ node }: { node: Node }) {
  return <p className="frame"><a href={node.src} rel="external noopener">{node.title ?? node.src}</a></p>;
}
