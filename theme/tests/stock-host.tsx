// Shows anywidgets as the stock book theme does: a page's JSON script with the id `nodes` names them.
import { ANY_RENDERERS } from '@myst-theme/anywidget';
import type { ComponentType } from 'react';
import { createRoot } from 'react-dom/client';

interface Node { type: 'anywidget'; esm: string; model: Record<string, unknown> }

const AnyWidget = ANY_RENDERERS.anywidget as ComponentType<{ node: Node }>;
const nodes = JSON.parse(document.getElementById('nodes')?.textContent ?? '[]') as Node[];
const place = document.createElement('main');
document.body.append(place);
createRoot(place).render(nodes.map((node) => <AnyWidget key={node.esm} node={node} />));
