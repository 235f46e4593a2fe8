import MiniSearch from 'minisearch';

/** What MyST writes into `myst.search.json`: a line for each heading, and one for the text below it. */
export interface SearchRecord { hierarchy: Record<string, string | undefined>; type: string; url: string; content?: string }

/** A section of a page: what a search finds. */
export interface Passage { id: number; url: string; page: string; section: string; text: string }

/** Joins a heading's line and that of the text below it. */
export function passages(records: SearchRecord[]): Passage[] {
  const found = new Map<string, Passage>();
  for (const { hierarchy, url, content = '' } of records) {
    const levels = [2, 3, 4, 5, 6].map((level) => hierarchy[`lvl${level}`]).filter((title) => title !== undefined);
    const passage = found.get(url) ?? { id: found.size, url, page: hierarchy.lvl1 ?? '', section: levels.join(' › '), text: '' };
    passage.text = `${passage.text} ${content}`.replace(/\s+/g, ' ').trim();
    found.set(url, passage);
  }
  return [...found.values()];
}

export type Finder = (query: string) => Passage[];

const fold = (term: string) => term.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '');

/** Finds passages that hold all words of a query, or, where none does, any of them; the best come first. */
export function finder(of: Passage[]): Finder {
  const index = new MiniSearch<Passage>({
    fields: ['page', 'section', 'text'],
    processTerm: fold,
    searchOptions: {
      boost: { page: 4, section: 3 },
      prefix: (_, at, terms) => at === terms.length - 1,
      fuzzy: (term) => (term.length > 4 ? 0.2 : 0),
    },
  });
  index.addAll(of);
  return (query) => {
    const all = index.search(query, { combineWith: 'AND' });
    return (all.length > 0 ? all : index.search(query)).map(({ id }) => of[id as number]).filter((passage) => passage !== undefined);
  };
}

/** A piece of a text round the first word of a query, as runs that are marked or not. */
export function excerpt(text: string, query: string, length = 160): { text: string; marked: boolean }[] {
  const words = query.split(/[\s\p{P}\p{S}]+/u).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (words.length === 0) return [{ text: text.slice(0, length), marked: false }];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join('|')})[\\p{L}\\p{N}]*`, 'giu');
  // Of the places where a word occurs, the one with most of the others soon after it.
  const places = [...text.matchAll(pattern)].map(({ 0: word, index }) => ({ index, word: fold(word) }));
  const near = (from: number) => new Set(places.filter(({ index }) => index >= from && index < from + length / 2).map(({ word }) => word)).size;
  const at = places.reduce((best, place) => (near(place.index) > best.near ? { index: place.index, near: near(place.index) } : best), { index: 0, near: 0 }).index;
  const start = at < length / 2 ? 0 : text.indexOf(' ', at - length / 3) + 1;
  const end = start + length >= text.length ? text.length : Math.max(text.lastIndexOf(' ', start + length), start + length / 2);
  const piece = `${start > 0 ? '… ' : ''}${text.slice(start, end)}${end < text.length ? ' …' : ''}`;
  const runs = [];
  let last = 0;
  for (const { 0: word, index } of piece.matchAll(pattern)) {
    runs.push({ text: piece.slice(last, index), marked: false }, { text: word, marked: true });
    last = index + word.length;
  }
  return [...runs, { text: piece.slice(last), marked: false }].filter((run) => run.text !== '');
}
