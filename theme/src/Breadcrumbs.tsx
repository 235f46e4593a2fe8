/** Where a page is: the book, and the group of pages. Its own title is right below. */
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
