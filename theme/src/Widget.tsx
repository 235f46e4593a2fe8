import type { CSSProperties } from 'react';
import { Json } from './Json.js';
import type { Node } from './node.js';
import type { SavedState } from './saved-state.js';

/** A widget's module and style have addresses, or, where a notebook saved them, are here as text. */
interface Props { node: Node; code?: string; style?: string; buffers?: SavedState['buffers'] }

/**
 * A place for an anywidget; the client loads its module when the place comes near, and keeps its height free until then.
 * Its class names the module, `view-cells` for `cells.mjs`: how much height it needs differs from view to view.
 */
export function Widget({ node, code, style: rules, buffers }: Props) {
  const { esm, css, model = {} } = node;
  const height = typeof model.height === 'number' ? `${model.height}px` : model.height;
  const style = typeof height === 'string' ? { '--height': height } : undefined;
  const name = /([a-z]+)(?:-[0-9a-f]+)?\.mjs$/.exec(esm ?? '')?.[1];
  // An image of another host is asked for by a reader alone, so neither shown nor fetched for paper.
  const image = model.tileSources ?? model.zarr;
  const elsewhere = typeof image === 'string' && /^https?:/.test(image) ? image : undefined;
  const classes = ['widget', node.class ?? 'wide', name === undefined ? undefined : `view-${name}`, elsewhere === undefined ? undefined : 'elsewhere'];
  const label = typeof model.label === 'string' ? model.label : 'Interactive view';
  return (
    <div id={node.html_id} className={classes.filter(Boolean).join(' ')} data-widget="" style={style as CSSProperties | undefined}>
      <Json value={{ esm, css, model, code, rules, buffers }} />
      <div className="widget-host" role="group" aria-label={label} />
      <div className="stand-in">
        {elsewhere === undefined
          ? <p>This view is interactive: open the page in a browser with JavaScript to use it.</p>
          : <p>On the web: <a href={elsewhere}>{elsewhere}</a></p>}
      </div>
    </div>
  );
}
