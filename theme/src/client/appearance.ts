const KEY = 'appearance';

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? 'system';
  } catch {
    return 'system'; // A browser may forbid storage: the choice then lasts for the page.
  }
}

export function bindAppearance(): void {
  const choices = document.querySelectorAll<HTMLInputElement>('.appearance input');
  choices.forEach((choice) => {
    choice.checked = choice.value === remembered();
    choice.addEventListener('change', () => {
      apply(choice.value);
      try {
        localStorage.setItem(KEY, choice.value);
      } catch { /* see above */ }
    });
    choice.closest('fieldset')?.removeAttribute('hidden');
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', announce);
}

function apply(choice: string): void {
  if (choice === 'system') delete document.documentElement.dataset.appearance;
  else document.documentElement.dataset.appearance = choice;
  announce();
}

// What is drawn with colours of its own, such as a Plotly figure, listens to this.
function announce(): void {
  dispatchEvent(new Event('appearancechange'));
}
