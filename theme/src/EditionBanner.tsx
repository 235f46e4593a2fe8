/** Says which edition of the book a reader has before them; simulated images must never pass for real ones. */
export function EditionBanner({ edition }: { edition?: string }) {
  if (edition === undefined || edition.trim() === '') return null;
  const [, name, rest] = /^([^:]{1,40}):\s+(.+)$/s.exec(edition.trim()) ?? [undefined, undefined, edition.trim()];
  return (
    <aside className="edition" aria-label="Edition of this book">
      <p>
        <span className="edition-nucleus" aria-hidden="true" />
        {name !== undefined && <strong>{name}<span className="visually-hidden">:</span></strong>} <span>{rest}</span>
      </p>
    </aside>
  );
}
