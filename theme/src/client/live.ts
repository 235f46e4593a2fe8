const KEY = 'live-preview-scroll';

/** In live preview, loads the page anew when its source has changed, and comes back to where the reader was. */
export function livePreview(): void {
  const path = document.querySelector<HTMLMetaElement>('meta[name="live-preview"]')?.content;
  if (path === undefined) return;
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (kept !== null) {
    history.scrollRestoration = 'manual';
    scrollTo({ top: Number(kept), behavior: 'instant' });
  }
  const socket = new WebSocket(`ws://${location.host}${path}`);
  socket.addEventListener('message', ({ data }) => {
    const { type } = JSON.parse(String(data)) as { type?: string };
    if (type !== 'RELOAD') return;
    sessionStorage.setItem(KEY, String(scrollY));
    location.reload();
  });
}
