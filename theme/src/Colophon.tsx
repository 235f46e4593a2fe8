import type { Download, Licence, Page, Project } from './site.js';

/** The foot of a page: licence, identifier, source, and what may be downloaded. */
export function Colophon({ page, project }: { page: Page; project: Project }) {
  const { license, doi, github, exports: files = [], downloads } = page.frontmatter;
  const all = [...files, ...(downloads ?? project.downloads ?? [])];
  return (
    <footer className="colophon">
      <dl>
        {license !== undefined && (
          <div>
            <dt>Licence</dt>
            <dd><LicenceName licence={license.content} of="text" /><br /><LicenceName licence={license.code} of="code" /></dd>
          </div>
        )}
        {doi !== undefined && <div><dt>DOI</dt><dd><a href={`https://doi.org/${doi}`}>{doi}</a></dd></div>}
        {github !== undefined && <div><dt>Source</dt><dd><a href={github}>{github.replace(/^https?:\/\//, '')}</a></dd></div>}
        {all.length > 0 && (
          <div>
            <dt>Downloads</dt>
            <dd><ul>{all.map((file) => <li key={file.url}><a href={file.url} download={file.filename}>{nameOf(file)}</a></li>)}</ul></dd>
          </div>
        )}
      </dl>
    </footer>
  );
}

function LicenceName({ licence, of }: { licence?: Licence; of: string }) {
  if (licence === undefined) return null;
  const name = licence.id ?? licence.name ?? of;
  return <span>{licence.url === undefined ? name : <a rel="license" href={licence.url} title={licence.name}>{name}</a>} ({of})</span>;
}

const FORMATS: Record<string, string> = { md: 'This page as Markdown', ipynb: 'This notebook', pdf: 'PDF', docx: 'Word', xml: 'JATS XML', tex: 'LaTeX' };

function nameOf({ title, filename, format, url }: Download): string {
  return title ?? FORMATS[format ?? ''] ?? filename ?? url;
}
