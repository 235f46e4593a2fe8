/** A box that may scroll can be reached by keyboard; one that shows all it holds need not stop anyone on the way. */
export function scrollableBoxes(): void {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
      target.toggleAttribute('tabindex', scrolls);
      if (scrolls) target.setAttribute('tabindex', '0');
    }
  });
  document.querySelectorAll('.page [tabindex="0"]:not([role="button"])').forEach((box) => { observer.observe(box); });
}
