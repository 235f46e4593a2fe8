/** Lays the two pictures of a comparison over one another, with a slider that uncovers the second. */
export function comparisons(): void {
  document.querySelectorAll<HTMLElement>('.panels[data-compare]').forEach((panels) => {
    const [first, second] = [...panels.querySelectorAll('img')];
    if (first === undefined || second === undefined) return;
    const slider = document.createElement('input');
    slider.type = 'range';
    slider.min = '0';
    slider.max = '100';
    slider.step = '0.5';
    slider.value = '50';
    slider.ariaLabel = `Between “${first.alt}” and “${second.alt}”`;
    const move = () => {
      panels.style.setProperty('--at', `${slider.value}%`);
      slider.ariaValueText = `${Math.round(Number(slider.value))} % of “${first.alt}”`;
    };
    slider.addEventListener('input', move);
    move();
    panels.append(slider);
    panels.dataset.compare = 'slider';
  });
}
