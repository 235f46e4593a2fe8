import { MyST } from 'myst-to-react';
import { partOf, type Page } from './site.js';

/** What a paper has before and after its text, in order, by MyST's names. */
const BEFORE = { dedication: 'Dedication', epigraph: 'Epigraph', abstract: 'Abstract', summary: 'Plain language summary', keypoints: 'Key points' };
const AFTER = { data_availability: 'Data availability', acknowledgments: 'Acknowledgments' };

/** The parts at a page's head: an abstract needs no title, for it looks like one. */
export function PartsBefore({ page }: { page: Page }) {
  return Object.entries(BEFORE).map(([name, title]) => {
    const part = partOf(page, name);
    if (part === undefined) return null;
    return (
      <section key={name} className={name} aria-label={title}>
        {(name === 'summary' || name === 'keypoints') && <p className="part-title">{title}</p>}
        <MyST ast={part as never} />
      </section>
    );
  });
}

/** The parts at a page's foot. */
export function PartsAfter({ page }: { page: Page }) {
  return Object.entries(AFTER).map(([name, title]) => {
    const part = partOf(page, name);
    if (part === undefined) return null;
    return (
      <section key={name} className="part" aria-labelledby={name}>
        <h2 id={name}>{title}</h2>
        <MyST ast={part as never} />
      </section>
    );
  });
}
