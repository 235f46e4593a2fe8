import { isGroup, type Work } from './cite.js';
import { Json } from './Json.js';

interface Props {
  work: Work;
  kind: 'Book' | 'ScholarlyArticle' | 'WebPage';
  title: string;
  site: string;
  description?: string;
  keywords: string[];
  image?: string;
  pdf?: string;
  address?: string;
  dataset?: object;
}

/** What search engines, reference managers and link previews read about a page. */
export function Metadata({ work, kind, title, site, description, keywords, image, pdf, address, dataset }: Props) {
  const day = work.date?.slice(0, 10);
  return (
    <>
      {address !== undefined && <link rel="canonical" href={address} />}
      <meta property="og:type" content={kind === 'Book' ? 'book' : 'article'} />
      <meta property="og:title" content={title} />
      <meta property="og:site_name" content={site} />
      {description !== undefined && <meta property="og:description" content={description} />}
      {address !== undefined && <meta property="og:url" content={address} />}
      {image !== undefined && <meta property="og:image" content={image} />}
      <meta name="twitter:card" content={image === undefined ? 'summary' : 'summary_large_image'} />
      <meta name="citation_title" content={work.title} />
      {work.authors.map(({ name }) => <meta key={name} name="citation_author" content={name} />)}
      {day !== undefined && <meta name="citation_publication_date" content={day.replaceAll('-', '/')} />}
      {work.book !== undefined && <meta name="citation_inbook_title" content={work.book} />}
      {work.doi !== undefined && <meta name="citation_doi" content={work.doi} />}
      {address !== undefined && <meta name="citation_public_url" content={address} />}
      {pdf !== undefined && <meta name="citation_pdf_url" content={pdf} />}
      {keywords.map((keyword) => <meta key={keyword} name="citation_keywords" content={keyword} />)}
      <Json
        type="application/ld+json"
        value={{
          '@context': 'https://schema.org',
          '@type': kind,
          headline: work.title,
          name: work.title,
          description,
          keywords: keywords.length > 0 ? keywords.join(', ') : undefined,
          author: work.authors.map((author) => ({
            '@type': isGroup(author) ? 'Organization' : 'Person',
            name: author.name,
            '@id': author.orcid === undefined ? undefined : `https://orcid.org/${author.orcid}`,
          })),
          datePublished: day,
          identifier: work.doi === undefined ? undefined : `https://doi.org/${work.doi}`,
          license: work.licence === undefined ? undefined : `https://spdx.org/licenses/${work.licence}`,
          url: address,
          image,
          isPartOf: work.book === undefined ? undefined : { '@type': 'Book', name: work.book },
        }}
      />
      {dataset !== undefined && <Json type="application/ld+json" value={dataset} />}
    </>
  );
}
