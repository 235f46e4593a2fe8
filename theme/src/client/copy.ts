/** Gives each listing a button that copies it. */
export function copyButtons(): void {
  if (!isSecureContext) return;
  document.querySelectorAll<HTMLElement>('.code').forEach((listing) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.addEventListener('click', () => {
      void navigator.clipboard.writeText(listing.querySelector('code')?.textContent ?? '').then(
        () => { say('Copied'); },
        () => { say('Not copied'); },
      );
    });
    const say = (text: string) => {
      button.textContent = text;
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    };
    listing.append(button);
  });
}
