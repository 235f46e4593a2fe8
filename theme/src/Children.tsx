import { MyST } from 'myst-to-react';
import type { Node } from './node.js';

/** Renders nodes, each by its own renderer. */
export function Children({ of }: { of?: Node[] }) {
  return of === undefined ? null : <MyST ast={of as never} />;
}
