/** Lets pictures be looked at in full size: by a click, a tap, or Enter. */
export function zoomablePictures(): void {
  document.querySelectorAll<HTMLImageElement>('.page :is(.picture, .output-image)').forEach((image) => {
    if (image.closest('a, button, [data-compare], .stand-in') !== null || !(image instanceof HTMLImageElement)) return;
    image.classList.add('zoomable');
    image.tabIndex = 0;
    image.role = 'button';
    image.ariaHasPopup = 'dialog';
    const open = () => { void import('./magnifier.js').then(({ magnify }) => { magnify(image); }); };
    image.addEventListener('click', open);
    image.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      open();
    });
  });
}
