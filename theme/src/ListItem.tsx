import { Children } from './Children.js';
import type { Node } from './node.js';

/** An item of a list; one of a list of tasks says whether it is done. */
export function ListItem({ node }: { node: Node }) {
  if (node.checked == null) return <li className={node.class}><Children of={node.children} /></li>;
  return (
    <li className="task">
      <input type="checkbox" defaultChecked={node.checked} disabled aria-label={node.checked ? 'done' : 'to do'} />
      <div><Children of={node.children} /></div>
    </li>
  );
}
