/** Data for the client. `<` is written as an escape, so that no text in it can end the element. */
export function Json({ value }: { value: unknown }) {
  return <script type="application/json" dangerouslySetInnerHTML={{ __html: JSON.stringify(value).replaceAll('<', '\\u003c') }} />;
}
