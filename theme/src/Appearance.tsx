const CHOICES = [
  ['light', 'Light'],
  ['system', 'System'],
  ['dark', 'Dark'],
] as const;

/** The switch between light and dark. It needs JavaScript, which takes `hidden` away. */
export function Appearance() {
  return (
    <fieldset className="appearance" hidden>
      <legend className="visually-hidden">Appearance</legend>
      {CHOICES.map(([value, label]) => (
        <label key={value}>
          <input type="radio" name="appearance" value={value} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** The same in one button, for the bar of a narrow screen; the client says in `aria-pressed` which look the page has. */
export function AppearanceButton() {
  return (
    <button type="button" className="appearance-button" aria-label="Dark appearance" hidden>
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><circle cx="10" cy="10" r="6.5" /><path d="M10 3.5a6.5 6.5 0 0 1 0 13z" /></svg>
    </button>
  );
}
