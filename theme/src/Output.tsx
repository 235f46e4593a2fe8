import katex from 'katex';
import MarkdownIt from 'markdown-it';
import type { CSSProperties, ReactNode } from 'react';
import { pageAddress } from './address.js';
import { ansiRuns } from './ansi.js';
import { Children } from './Children.js';
import { usePage } from './context.js';
import { Json } from './Json.js';
import type { JupyterOutput, MimeContent, Node, PictureLink } from './node.js';
import { savedState, VIEW } from './saved-state.js';
import { SavedWidget } from './SavedWidget.js';
import { sanitised } from './sanitised.js';

/** Everything that one cell put out. */
export function Outputs({ node }: { node: Node }) {
  if (node.visibility === 'remove' || node.children === undefined) return null;
  const content = <Children of={node.children} />;
  return (
    <div id={node.html_id} className="outputs">
      {node.visibility === 'hide' ? <details className="fold"><summary>Output</summary>{content}</details> : content}
    </div>
  );
}

export function Output({ node }: { node: Node }): ReactNode {
  const output = node.jupyter_data;
  if (output === undefined) return <Children of={node.children} />;
  switch (output.output_type) {
    case 'stream':
      return <Terminal text={output.text ?? ''} className={`output-stream output-${output.name ?? 'stdout'}`} />;
    case 'error':
      return <Traceback output={output} />;
    default:
      return <Richest output={output} node={node} />;
  }
}

const IMAGES = ['image/svg+xml', 'image/png', 'image/jpeg', 'image/webp', 'image/gif'];

/** Tell whether an output is a plot on white, by what its cell says of the image. */
export function isPlot(node: Node): boolean {
  const { data, metadata } = node.jupyter_data ?? {};
  return IMAGES.some((type) => data?.[type] !== undefined && metadata?.[type]?.plot === true);
}

/** Of the forms that an output comes in, the one that shows most. */
function Richest({ output, node }: { output: JupyterOutput; node: Node }) {
  const { page } = usePage();
  const data = output.data ?? {};
  const saved = savedState(page, data[VIEW]);
  if (saved !== undefined) return <SavedWidget saved={saved} node={node} />;
  const plotly = data['application/vnd.plotly.v1+json'];
  const image = IMAGES.map((type) => data[type]).find(Boolean);
  const plain = data['text/plain'];
  if (plotly !== undefined) return <PlotlyFigure figure={plotly} still={image} node={node} />;
  if (image !== undefined) return <OutputImage image={image} node={node} alt={asText(plain?.content)} />;
  if (data['text/html'] !== undefined) return <OutputHtml html={asText(data['text/html'].content)} />;
  if (data['text/markdown'] !== undefined) return <OutputMarkdown text={asText(data['text/markdown'].content)} />;
  if (data['text/latex'] !== undefined) return <OutputMarkdown text={asText(data['text/latex'].content)} />;
  if (plain !== undefined) return <Terminal text={asText(plain.content)} className="output-plain" />;
  return null;
}

function Terminal({ text, className }: { text: string; className: string }) {
  const label = className.includes('stderr') ? 'Messages of the cell' : 'Output of the cell';
  return <pre tabIndex={0} aria-label={label} className={`output ${className}`}><Ansi text={text.trimEnd()} /></pre>;
}

function Traceback({ output }: { output: JupyterOutput }) {
  const lines = [output.traceback ?? []].flat().join('\n');
  return (
    <div className="output output-error">
      <p className="output-error-name">{output.ename}: {output.evalue}</p>
      {lines !== '' && <details className="fold"><summary>Traceback</summary><pre tabIndex={0} aria-label="Traceback"><Ansi text={lines} /></pre></details>}
    </div>
  );
}

function Ansi({ text }: { text: string }) {
  return ansiRuns(text).map((run, at) => {
    if (!run.bold && run.colour === undefined) return run.text;
    const own = run.colour?.startsWith('#') === true;
    const classes = [run.bold ? 'ansi-bold' : undefined, run.colour !== undefined && !own ? `ansi-${run.colour}` : undefined];
    return <span key={at} className={classes.filter(Boolean).join(' ') || undefined} style={own ? { color: run.colour } : undefined}>{run.text}</span>;
  });
}

function sourceOf(image: MimeContent): string {
  if (image.path !== undefined) return image.path;
  const content = asText(image.content);
  // As an image's source, an SVG can't run scripts.
  return image.content_type === 'image/svg+xml'
    ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(content)}`
    : `data:${image.content_type};base64,${content.replace(/\s/g, '')}`;
}

function OutputImage({ image, node, alt }: { image: MimeContent; node: Node; alt: string }) {
  const size = node.data?.size as { width: number; height: number } | undefined;
  // `<Figure size 640x480 with 1 Axes>` says nothing to anyone: the caption does.
  const text = alt.startsWith('<') ? '' : alt;
  const picture = <img className={`output output-image${isPlot(node) ? ' plot' : ''}`} src={sourceOf(image)} alt={text} width={size?.width} height={size?.height} loading="lazy" decoding="async" />;
  const links = node.jupyter_data?.metadata?.[image.content_type]?.links ?? [];
  return links.length === 0 ? picture : <LinkedPicture links={links}>{picture}</LinkedPicture>;
}

/** A picture of which parts lead to pages of the book. */
function LinkedPicture({ links, children }: { links: PictureLink[]; children: ReactNode }) {
  const { base } = usePage();
  return (
    <div className="linked-picture">
      {children}
      {links.map(({ box: [left = 0, top = 0, width = 0, height = 0], url, name }) => (
        <a
          key={url}
          href={pageAddress(base, url)}
          aria-label={name}
          title={name}
          style={{ left: share(left), top: share(top), width: share(width), height: share(height) }}
        />
      ))}
    </div>
  );
}

function share(of: number): string {
  return `${(100 * of).toFixed(2)}%`;
}

function OutputHtml({ html }: { html: string }) {
  return <div className="output output-html" tabIndex={0} role="group" aria-label="Table" dangerouslySetInnerHTML={{ __html: sanitised(html) }} />;
}

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: true });

function OutputMarkdown({ text }: { text: string }) {
  // Formulas are taken out before, and put back after, Markdown's own marks are read.
  const formulas: string[] = [];
  const held = text.replace(/\$\$([^$]+)\$\$|\$([^$\n]+)\$/g, (_, display: string | undefined, inline: string | undefined) => {
    formulas.push(katex.renderToString(display ?? inline ?? '', { displayMode: display !== undefined, throwOnError: false }));
    return `\u2063${formulas.length - 1}\u2063`;
  });
  const html = markdown.render(held).replace(/\u2063(\d+)\u2063/g, (_, at: string) => formulas[Number(at)] ?? '');
  return <div className="output output-markdown" dangerouslySetInnerHTML={{ __html: html }} />;
}

interface FigureData { layout?: { height?: number; title?: string | { text?: string } } }

/** The client draws the figure when it comes near; until then its height is kept free. */
function PlotlyFigure({ figure, still, node }: { figure: MimeContent; still?: MimeContent; node: Node }) {
  const raw = figure.content;
  const data = (typeof raw === 'string' ? JSON.parse(raw) : raw) as FigureData | undefined;
  const title = data?.layout?.title;
  const label = (typeof title === 'string' ? title : title?.text) ?? 'Interactive figure';
  const height = data?.layout?.height ?? 460;
  return (
    <div className="output output-plotly" data-plotly={figure.path ?? ''} style={{ '--height': `${height}px` } as CSSProperties}>
      {data !== undefined && <Json value={data} />}
      <div className="plotly-host" role="figure" aria-label={label} />
      <div className="stand-in">
        {still === undefined ? <p>This figure is interactive: open the page in a browser with JavaScript to use it.</p> : <OutputImage image={still} node={node} alt={label} />}
      </div>
    </div>
  );
}

/** Notebooks hold text whole or as a list of its lines. */
function asText(content: unknown): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.join('') : '';
}
