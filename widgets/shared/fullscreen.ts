/** The words for a reader whose browser refuses. */
export const NO_FULL_SCREEN = 'The browser does not allow full screen here.';

/** Fills the screen with a view, or gives it back to the page; false where the browser refuses. */
export async function toggledFullScreen(root: HTMLElement): Promise<boolean> {
  try {
    if (root.matches(':fullscreen')) await document.exitFullscreen();
    else await root.requestFullscreen();
    return true;
  } catch {
    return false;
  }
}

/** Says on a view's button whether the view fills the screen, and calls back when that changes. */
export function followFullScreen(root: HTMLElement, changed: (full: boolean) => void = () => undefined): void {
  const show = () => {
    const full = root.matches(':fullscreen');
    root.querySelector('button[title="Full screen"]')?.setAttribute('aria-pressed', String(full));
    return full;
  };
  root.addEventListener('fullscreenchange', () => {
    changed(show());
  });
  show();
}
