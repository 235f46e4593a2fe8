import { Children } from './Children.js';
import type { Node } from './node.js';
import type { Page } from './site.js';

/** What a paper has before and after its text, in order, by MyST's names. */
const BEFORE = { dedication: 'Dedication', epigraph: 'Epigraph', abstract: 'Abstract', summary: 'Plain language summary', keypoints: 'Key points' };
const AFTER = { data_availability: 'Data availability', acknowledgments: 'Acknowledgments' };

// Other spellings that MyST accepts for the names of parts.
const SPELLINGS: Record<string, string> = {
  'key-points': 'keypoints', key_points: 'keypoints', keyPoints: 'keypoints',
  'data-availability': 'data_availability', dataAvailability: 'data_availability', availability: 'data_availability',
  acknowledgements: 'acknowledgments', acknowledgment: 'acknowledgments', acknowledgement: 'acknowledgments', ack: 'acknowledgments',
  plain_language_summary: 'summary', 'plain-language-summary': 'summary', plainLanguageSummary: 'summary', lay_summary: 'summary', 'lay-summary': 'summary',
  quote: 'epigraph',
};

/** The parts at a page's head: an abstract needs no title, for it looks like one. */
export function PartsBefore({ page }: { page: Page }) {
  return partsOf(page, BEFORE).map(({ name, title, content }) => (
    <section key={name} className={name} aria-label={title}>
      {(name === 'summary' || name === 'keypoints') && <p className="part-title">{title}</p>}
      <Children of={content} />
    </section>
  ));
}

/** The parts at a page's foot. */
export function PartsAfter({ page }: { page: Page }) {
  return partsOf(page, AFTER).map(({ name, title, content }) => (
    <section key={name} className="part" aria-labelledby={name}>
      <h2 id={name}>{title}</h2>
      <Children of={content} />
    </section>
  ));
}

/** The blocks of a page that are its text, without the parts that are shown elsewhere. */
export function textBlocks({ mdast }: Page): Node[] {
  return (mdast.children ?? []).filter((block) => partName(block) === undefined);
}

/** The parts that a page has, from its frontmatter and from all blocks of its text that are of one. */
function partsOf({ frontmatter, mdast }: Page, titles: Record<string, string>) {
  return Object.entries(titles).flatMap(([name, title]) => {
    const blocks = (mdast.children ?? []).filter((block) => partName(block) === name);
    const content = [...(frontmatter.parts?.[name]?.mdast.children ?? []), ...blocks];
    return content.length > 0 ? [{ name, title, content }] : [];
  });
}

/** Which part of a paper a block of the text is: `+++ {"part": "abstract"}`. */
function partName({ data }: Node): string | undefined {
  const name = typeof data?.part === 'string' ? data.part : '';
  const known = SPELLINGS[name] ?? name;
  return known in BEFORE || known in AFTER ? known : undefined;
}
