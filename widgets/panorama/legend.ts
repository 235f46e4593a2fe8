import { colourAt } from '../shared/colourmaps';
import { textElement } from '../shared/elements';
import { grouped, rounded } from '../shared/text';
import { describe, UNKNOWN, type Scale } from './measures';

const STOPS = 17;

/** What the colours of masks mean, in words. */
export function legendText(by: string, scale: Scale): string {
  const { name, unit } = describe(by);
  const named = unit === '' ? name : `${name} (${unit})`;
  if (scale.kind === 'classes') return `Masks coloured by ${named}: ${scale.classes.map((one) => one.name).join(', ')}`;
  return `Masks coloured by ${named}, from ${rounded(scale.least)} (dark) to ${rounded(scale.most)} (light)`;
}

/** What the colours of masks mean. */
export class Legend {
  readonly element = textElement('div', '', 'nn-legend');

  /** Shows a scale; nothing where colours only tell neighbours apart. */
  show(by: string | null, scale: Scale | null): void {
    const { element } = this;
    element.hidden = by === null;
    if (by === null) return;
    const { name, unit } = describe(by);
    const title = textElement('span', unit === '' ? name : `${name} (${unit})`, 'nn-label');
    if (!scale) {
      element.replaceChildren(title, textElement('span', 'not known here'));
      return;
    }
    if (scale.kind === 'classes') {
      const unknown = scale.unknown > 0 ? [{ name: 'not known', colour: UNKNOWN, count: scale.unknown }] : [];
      element.replaceChildren(title, ...[...scale.classes, ...unknown].map(({ name: word, colour, count }) => {
        const key = textElement('span', '', 'nn-key');
        const patch = textElement('span', '', 'nn-swatch');
        patch.style.background = colour;
        key.append(patch, `${word} ${grouped(count)}`);
        return key;
      }));
      return;
    }
    const strip = textElement('span', '', 'nn-ramp');
    const colours = Array.from({ length: STOPS }, (_, at) => `rgb(${colourAt('viridis', at / (STOPS - 1)).join(' ')})`);
    strip.style.background = `linear-gradient(to right, ${colours.join(', ')})`;
    const end = (value: number, sign: string) => textElement('span', `${sign}${rounded(value)}`);
    element.replaceChildren(title, end(scale.least, scale.below ? '≤ ' : ''), strip, end(scale.most, scale.above ? '≥ ' : ''));
  }
}
