interface Props { text?: string; archiveOf?: string; version?: string }

/**
 * Says at the top of every page what is to be known of the whole book: that there is a later version, or what is wrong with
 * this one, such as notebooks that are out of date.
 */
export function Notice({ text = '', archiveOf, version }: Props) {
  if (text.trim() === '' && archiveOf === undefined) return null;
  return (
    <aside className="notice" aria-label="Notice">
      <p>
        {archiveOf !== undefined && (
          <span>
            This is {version === undefined ? 'an archived version' : `the archived version ${version}`}; the current one is
            at <a href={archiveOf} rel="external noopener">{archiveOf.replace(/^https?:\/\/|\/+$/g, '')}</a>.
          </span>
        )}
        {text.trim() !== '' && <span>{text.trim()}</span>}
      </p>
    </aside>
  );
}
