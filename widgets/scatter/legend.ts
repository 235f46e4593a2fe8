import { textElement } from '../shared/elements';
import { colourOf, GRADIENT, type Legend } from './colours';
import { grouped } from '../shared/text';

/** What the colours mean; `of` says what those are of which the value is not known, where they are not all. */
export function legendElement({ steps, continuous, missing }: Legend, title: string, of = ''): HTMLElement {
  const element = textElement('div', '', 'nn-legend');
  element.append(textElement('span', title, 'nn-label'));
  const [first, last] = [steps[0], steps.at(-1)];
  if (continuous && first && last) {
    const bar = textElement('span', '', 'nn-bar');
    bar.style.background = GRADIENT;
    const scale = textElement('span', '', 'nn-scale');
    scale.append(textElement('span', first.text), bar, textElement('span', last.text));
    element.append(scale);
  } else {
    for (const { text, level } of steps) element.append(swatch(text, colourOf(level)));
  }
  if (missing > 0) element.append(swatch(`not known (${grouped(missing)}${of})`, 'rgb(150 150 150 / 55%)'));
  return element;
}

function swatch(text: string, colour: string): HTMLElement {
  const element = textElement('span', '', 'nn-step');
  const dot = textElement('span', '', 'nn-dot');
  dot.style.background = colour;
  element.append(dot, textElement('span', text));
  return element;
}
