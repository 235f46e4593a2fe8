import hljs from 'highlight.js/lib/common';
import { usePage } from './context.js';
import type { Node } from './node.js';
import { Words } from './Words.js';

const ALIASES: Record<string, string> = { console: 'bash', myst: 'markdown', toml: 'ini', ipython3: 'python', text: 'plaintext' };

export function CodeBlock({ node }: { node: Node }) {
  const { page } = usePage();
  if (node.visibility === 'remove') return null;
  const code = <Code value={node.value ?? ''} language={node.lang} node={node} />;
  // Code that ran is evidence, not reading matter: it is one click away.
  if (node.executable === true && (page.kind === 'Notebook' || node.visibility === 'hide')) {
    return <details className="fold fold-code"><summary>Code</summary>{code}</details>;
  }
  return code;
}

export function InlineCode({ node }: { node: Node }) {
  return <code><Words text={node.value ?? ''} most={24} /></code>;
}

function Code({ value, language, node }: { value: string; language?: string; node: Node }) {
  const name = ALIASES[language ?? ''] ?? language ?? '';
  const known = hljs.getLanguage(name) !== undefined;
  const html = known ? hljs.highlight(value, { language: name, ignoreIllegals: true }).value : escaped(value);
  const lines = node.showLineNumbers === true || (node.emphasizeLines?.length ?? 0) > 0;
  return (
    <div className="code" id={node.html_id}>
      {node.filename !== undefined && <p className="code-name">{node.filename}</p>}
      <pre tabIndex={0} aria-label={known ? `Code in ${name}` : 'Code'} className={node.showLineNumbers === true ? 'numbered' : undefined}>
        <code dangerouslySetInnerHTML={{ __html: lines ? byLine(html, node) : html }} />
      </pre>
    </div>
  );
}

/** Wraps each line, closing and reopening the highlighter's spans where they run over its end. */
function byLine(html: string, node: Node): string {
  const first = node.startingLineNumber ?? 1;
  let open: string[] = [];
  return html
    .split('\n')
    .map((line, at) => {
      const start = open.join('');
      for (const [tag] of line.matchAll(/<span[^>]*>|<\/span>/g)) {
        if (tag === '</span>') open = open.slice(0, -1);
        else open.push(tag);
      }
      const marked = node.emphasizeLines?.includes(at + 1) === true ? ' emphasized' : '';
      return `<span class="line${marked}" data-line="${first + at}">${start}${line}${'</span>'.repeat(open.length)}\n</span>`;
    })
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
