import type { PageStyle } from './drawing';

/** Resolves the colours that the style sheet has by name into ones that a canvas understands. */
export function pageStyle(root: HTMLElement): PageStyle {
  const probe = document.createElement('span');
  root.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const [ground = '', ink = '', quiet = '', rule = '', accent = ''] = ['bg', 'fg', 'muted', 'line', 'accent'].map(colour);
  const family = getComputedStyle(probe).fontFamily;
  probe.remove();
  return { dark: root.dataset.theme === 'dark', ground, ink, quiet, rule, accent, family };
}
