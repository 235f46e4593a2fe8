/** Where a page stands: the book, and the group of pages that it is in. Its own title stands right below. */
export function Breadcrumbs({ home, title, group }: { home: string; title: string; group?: string }) {
  return (
    <nav className="breadcrumbs" aria-label="Breadcrumbs">
      <ol>
        <li><a href={home}>{title}</a></li>
        {group !== undefined && <li>{group}</li>}
      </ol>
    </nav>
  );
}
