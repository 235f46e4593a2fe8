import type { Section } from './site.js';

/** The sections of the page, below its own line in the contents; the client marks the one in view. */
export function Outline({ sections }: { sections: Section[] }) {
  if (sections.length === 0) return null;
  return (
    <nav className="outline" aria-label="On this page">
      <Sections sections={sections} />
    </nav>
  );
}

function Sections({ sections }: { sections: Section[] }) {
  return (
    <ol>
      {sections.map(({ id, title, children }) => (
        <li key={id}>
          <a href={`#${id}`}>{title}</a>
          {children.length > 0 && <Sections sections={children} />}
        </li>
      ))}
    </ol>
  );
}
