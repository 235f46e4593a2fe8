import type { NodeRenderers } from '@myst-theme/providers';
import { DEFAULT_RENDERERS } from 'myst-to-react';
import type { ReactNode } from 'react';
import { Admonition, Dropdown, Exercise, Statement } from './Admonition.js';
import { Block } from './Block.js';
import { Card, Grid } from './Card.js';
import { CodeBlock, InlineCode } from './CodeBlock.js';
import { Caption, CaptionNumber, Figure, Legend, StandIn, TableTools } from './Figure.js';
import { Frame, Picture } from './Picture.js';
import { Heading } from './Heading.js';
import { Abbreviation, Citation, CitationGroup, CrossReference, FootnoteMark, Link } from './Link.js';
import { ListItem } from './ListItem.js';
import { Expression, Math } from './Math.js';
import { Mermaid } from './Mermaid.js';
import { MarginNote } from './MarginNote.js';
import type { Node } from './node.js';
import { Output, Outputs } from './Output.js';
import { Table } from './Table.js';
import { Tabs } from './Tabs.js';
import { Widget } from './Widget.js';

const nothing = () => null;

/** How each kind of node looks. What is not named here is plain enough for myst-to-react's own renderers. */
const own: Record<string, (props: { node: Node }) => ReactNode> = {
  abbreviation: Abbreviation,
  admonition: Admonition,
  anywidget: Widget,
  aside: MarginNote,
  block: Block,
  caption: Caption,
  captionNumber: CaptionNumber,
  card: Card,
  cite: Citation,
  citeGroup: CitationGroup,
  code: CodeBlock,
  container: Figure,
  crossReference: CrossReference,
  details: Dropdown,
  exercise: Exercise,
  footnoteDefinition: nothing,
  footnoteReference: FootnoteMark,
  grid: Grid,
  heading: Heading,
  iframe: Frame,
  image: Picture,
  inlineCode: InlineCode,
  inlineExpression: Expression,
  inlineMath: Math,
  legend: Legend,
  link: Link,
  listItem: ListItem,
  linkBlock: Card,
  math: Math,
  mermaid: Mermaid,
  // An example of MyST: what is written is shown, for mystmd does not say what comes of it.
  myst: ({ node }) => <CodeBlock node={{ ...node, lang: 'myst' }} />,
  output: Output,
  outputs: Outputs,
  proof: Statement,
  solution: Exercise,
  standIn: StandIn,
  tabSet: Tabs,
  table: Table,
  tableTools: TableTools,
  thematicBreak: () => <hr />,
};

export const RENDERERS = { ...DEFAULT_RENDERERS, ...own } as NodeRenderers;
