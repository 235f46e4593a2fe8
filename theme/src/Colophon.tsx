import { bibtex, cff, type Work } from './cite.js';
import { editAddress, launchAddress, type Download, type Licence, type Page, type PrintForm, type Project, type Site } from './site.js';

/** The foot of a page: licence, identifier, source, what may be downloaded, and how to cite it. */
export function Colophon({ site, page, project, work }: { site: Site; page: Page; project: Project; work: Work }) {
  const { license, doi, github, exports: files = [], downloads } = page.frontmatter;
  const [edit, launch] = [editAddress(site, page), launchAddress(site, page)];
  const all = [...files, ...(downloads ?? project.downloads ?? []), ...printed(site)];
  return (
    <footer className="colophon">
      <dl>
        {license !== undefined && (
          <div>
            <dt>Licence</dt>
            <dd><LicenceName licence={license.content} of="text" /><br /><LicenceName licence={license.code} of="code" /></dd>
          </div>
        )}
        {doi !== undefined && <div><dt>DOI</dt><dd><a href={`https://doi.org/${doi}`} rel="external noopener">{doi}</a></dd></div>}
        {github !== undefined && (
          <div>
            <dt>Source</dt>
            <dd>
              <a href={github} rel="external noopener">{github.replace(/^https?:\/\//, '')}</a>
              {edit !== undefined && <><br /><a href={edit} rel="external noopener nofollow">Edit this page</a></>}
              {launch !== undefined && <><br /><a href={launch} rel="external noopener nofollow">Run on Binder</a></>}
            </dd>
          </div>
        )}
        {all.length > 0 && (
          <div>
            <dt>Downloads</dt>
            <dd><ul>{all.map((file) => <li key={file.url}><a href={file.url} download={file.filename ?? ''}>{nameOf(file)}</a></li>)}</ul></dd>
          </div>
        )}
        <div>
          <dt>Cite</dt>
          <dd>
            <ul>
              <li><Text name={`${work.key}.bib`} type="application/x-bibtex" text={bibtex(work)}>BibTeX</Text></li>
              <li><Text name={`${work.key}.cff`} type="text/yaml" text={cff(work)}>Citation file (CFF)</Text></li>
            </ul>
          </dd>
        </div>
      </dl>
    </footer>
  );
}

const PRINTED: Record<PrintForm, string> = { pdf: 'PDF', docx: 'Word', jats: 'JATS XML', meca: 'MECA bundle' };

/** The forms that the whole book was printed in. */
function printed({ options }: Site): Download[] {
  return (Object.keys(PRINTED) as PrintForm[]).flatMap((form) => {
    const url = options?.[form];
    // Its name without the hash that MyST gave it.
    const filename = url?.replace(/^.*\//, '').replace(/-[0-9a-f]{32}(?=\.)/, '');
    return url === undefined ? [] : [{ title: `The book as ${PRINTED[form]}`, url, filename }];
  });
}

/** A small file that is part of the page itself. */
function Text({ name, type, text, children }: { name: string; type: string; text: string; children: string }) {
  return <a href={`data:${type};charset=utf-8,${encodeURIComponent(text)}`} download={name}>{children}</a>;
}

function LicenceName({ licence, of }: { licence?: Licence; of: string }) {
  if (licence === undefined) return null;
  const name = licence.id ?? licence.name ?? of;
  return <span>{licence.url === undefined ? name : <a rel="license external noopener" href={licence.url} title={licence.name}>{name}</a>} ({of})</span>;
}

const FORMATS: Record<string, string> = { md: 'This page as Markdown', ipynb: 'This notebook', pdf: 'PDF', docx: 'Word', xml: 'JATS XML', tex: 'LaTeX' };

function nameOf({ title, filename, format, url }: Download): string {
  return title ?? FORMATS[format ?? ''] ?? filename ?? url;
}
