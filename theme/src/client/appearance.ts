const KEY = 'appearance';

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? 'system';
  } catch {
    return 'system'; // A browser may forbid storage: the choice then lasts for the page.
  }
}

const system = matchMedia('(prefers-color-scheme: dark)');

export function bindAppearance(): void {
  const choices = document.querySelectorAll<HTMLInputElement>('.appearance input');
  const button = document.querySelector<HTMLButtonElement>('.appearance-button');
  const show = () => {
    choices.forEach((choice) => { choice.checked = choice.value === chosen(); });
    if (button !== null) button.ariaPressed = String(isDark());
  };
  const choose = (choice: string) => {
    apply(choice);
    show();
    try {
      localStorage.setItem(KEY, choice);
    } catch { /* see above */ }
  };
  choices.forEach((choice) => {
    choice.addEventListener('change', () => { choose(choice.value); });
    choice.closest('fieldset')?.removeAttribute('hidden');
  });
  button?.addEventListener('click', () => { choose(isDark() ? 'light' : 'dark'); });
  button?.removeAttribute('hidden');
  system.addEventListener('change', () => {
    show();
    announce();
  });
  apply(remembered());
  show();
}

function chosen(): string {
  return document.documentElement.dataset.appearance ?? 'system';
}

function isDark(): boolean {
  return chosen() === 'dark' || (chosen() === 'system' && system.matches);
}

function apply(choice: string): void {
  if (choice === chosen()) return;
  if (choice === 'system') delete document.documentElement.dataset.appearance;
  else document.documentElement.dataset.appearance = choice;
  announce();
}

// What is drawn with colours of its own, such as a Plotly figure, listens to this.
function announce(): void {
  dispatchEvent(new Event('appearancechange'));
}
