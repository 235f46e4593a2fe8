import { useId } from 'react';
import { Children } from './Children.js';
import type { Node } from './node.js';

/**
 * Tabs are radio buttons: they work without JavaScript, by keyboard, and in print all panels show. The client only
 * makes tabs of the same `sync` follow one another.
 */
export function Tabs({ node }: { node: Node }) {
  const name = useId();
  const items = (node.children ?? []).filter(({ type }) => type === 'tabItem');
  const chosen = Math.max(items.findIndex(({ selected }) => selected === true), 0);
  return (
    <div className={node.class === undefined ? 'tabs' : `tabs ${node.class}`}>
      {items.map((item, at) => (
        <div key={item.key ?? at} className="tab">
          <label>
            <input type="radio" name={name} defaultChecked={at === chosen} data-sync={item.sync} />
            <span>{item.title}</span>
          </label>
          <div className="tab-panel"><Children of={item.children} /></div>
        </div>
      ))}
    </div>
  );
}
