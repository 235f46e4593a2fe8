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
