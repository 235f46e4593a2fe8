/** Says what is wrong with the whole book, such as notebooks that are out of date, at the top of every page. */
export function Notice({ text }: { text?: string }) {
  if (text === undefined || text.trim() === '') return null;
  return <aside className="notice" aria-label="Notice"><p>{text.trim()}</p></aside>;
}
