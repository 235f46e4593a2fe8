/** Opens the search; without JavaScript there is none. */
export function SearchButton() {
  return (
    <button type="button" className="search-button" aria-label="Search" aria-haspopup="dialog" aria-keyshortcuts="/ Control+K">
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true"><circle cx="8.5" cy="8.5" r="5" /><path d="m12.5 12.5 4.5 4.5" /></svg>
      <span>Search</span>
      <kbd aria-hidden="true">/</kbd>
    </button>
  );
}

/** The client fills the list; the index is fetched when the dialog first opens. */
export function SearchDialog({ base }: { base: string }) {
  return (
    <dialog id="search" className="search" aria-label="Search the book" data-base={base}>
      <form method="dialog" className="search-head">
        <input
          type="search"
          role="combobox"
          aria-label="Search the book"
          aria-controls="search-results"
          aria-expanded="false"
          aria-autocomplete="list"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          enterKeyHint="go"
          placeholder="Search the book"
        />
        <button type="submit" className="search-close">Close</button>
      </form>
      <p className="search-status" role="status" />
      <div id="search-results" className="search-results" role="listbox" aria-label="Results" />
    </dialog>
  );
}
