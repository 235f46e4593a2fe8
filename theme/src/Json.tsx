/** Data for the client or for machines that read pages. `<` is written as an escape, so that no text in it can end the element. */
export function Json({ value, type = 'application/json' }: { value: unknown; type?: string }) {
  return <script type={type} dangerouslySetInnerHTML={{ __html: JSON.stringify(value).replaceAll('<', '\\u003c') }} />;
}
