const VALUES = 'a[data-about]';

/** Keeps what numbers say about themselves from showing as a browser's own tooltip beside the preview. */
export function holdTitles(): void {
  document.querySelectorAll<HTMLAnchorElement>(VALUES).forEach((link) => {
    link.dataset.about = link.title;
    link.setAttribute('aria-description', link.title.replaceAll('\n', '. '));
    link.removeAttribute('title');
  });
}

/** What a number says about itself: what it is, where it comes from, and a link to that. */
export function aboutOf(link: HTMLElement): Element | undefined {
  const lines = link.dataset.about?.split('\n') ?? [];
  const last = lines.pop();
  if (last === undefined || !(link instanceof HTMLAnchorElement)) return undefined;
  const about = document.createElement('div');
  about.className = 'about';
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
  about.append(value, ...rest, source);
  return about;
}
