const VALUES = 'a[data-about]';

/** Keeps what numbers tell of themselves from showing as a browser's own tooltip beside the preview. */
export function holdTitles(): void {
  document.querySelectorAll<HTMLAnchorElement>(VALUES).forEach((link) => {
    link.dataset.about = link.title;
    link.setAttribute('aria-description', link.title.replaceAll('\n', '. '));
    link.removeAttribute('title');
  });
}

/** What a number tells of itself: what it is, where it comes from, and a link to that. */
export function aboutOf(link: HTMLElement): Element | undefined {
  const lines = link.dataset.about?.split('\n') ?? [];
  const last = lines.pop();
  if (last === undefined || !(link instanceof HTMLAnchorElement)) return undefined;
  const told = document.createElement('div');
  told.className = 'about';
  const value = document.createElement('p');
  value.className = 'about-value';
  value.textContent = link.textContent;
  const rest = lines.map((line) => {
    const paragraph = document.createElement('p');
    paragraph.textContent = line;
    return paragraph;
  });
  const source = document.createElement('p');
  const leads = document.createElement('a');
  leads.href = link.href;
  leads.textContent = last;
  source.append(leads);
  told.append(value, ...rest, source);
  return told;
}
