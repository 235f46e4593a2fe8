import { Choices } from '../shared/choices';
import { textElement } from '../shared/elements';
import { choiceText } from './facts';
import type { MaskStyle } from './paint';
import type { Panorama } from './panoramas';
import type { Masks } from './viewstate';

const MASK_CHOICES: { value: Masks; text: string }[] = [
  { value: 'off', text: 'Off' },
  { value: 'fill', text: 'Filled' },
  { value: 'outline', text: 'Outlined' },
];

/** Outlines are thin and want to be strong, fills are wide and must let the image through. */
export const OPACITY: Record<MaskStyle, number> = { fill: 0.5, outline: 1 };

/** The row over the image: which panorama, how its masks are drawn, and the button that opens the contrast. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly select = document.createElement('select');
  private readonly fieldset = document.createElement('fieldset');
  private readonly choices = new Choices<Masks>(MASK_CHOICES, (masks) => {
    this.events.masks(masks, masks === 'off' ? null : this.opacity[masks]);
  });
  private readonly slider = document.createElement('input');
  private panoramas: Panorama[] = [];
  private masks: Masks = 'fill';
  /** What was set for each style, for when that style comes back. */
  private readonly opacity: Record<MaskStyle, number | null> = { fill: null, outline: null };

  constructor(
    private readonly events: {
      choose(panorama: Panorama): void;
      masks(masks: Masks, opacity: number | null): void;
    },
    contrast: HTMLElement,
  ) {
    this.element.className = 'nn-toolbar';
    this.element.append(this.choice(), this.maskChoices(), contrast);
  }

  /** Shows which panorama of which is open, and how its masks are drawn. */
  show(panoramas: Panorama[], open: Panorama, masks: Masks, opacity: number | null): void {
    if (panoramas !== this.panoramas) {
      this.panoramas = panoramas;
      this.select.replaceChildren(...panoramas.map((panorama, at) => new Option(choiceText(panorama), String(at))));
    }
    this.select.value = String(panoramas.indexOf(open));
    this.fieldset.disabled = open.labels === null;
    this.masks = masks;
    this.choices.show(masks);
    this.slider.disabled = masks === 'off';
    if (masks === 'off') return;
    this.opacity[masks] = opacity;
    this.slider.value = String((opacity ?? OPACITY[masks]) * 100);
  }

  private choice(): HTMLElement {
    const label = document.createElement('label');
    label.className = 'nn-choose';
    this.select.className = 'nn-control';
    label.append(textElement('span', 'Panorama', 'nn-label'), this.select);
    this.select.addEventListener('change', () => {
      const chosen = this.panoramas[Number(this.select.value)];
      if (chosen) this.events.choose(chosen);
    });
    return label;
  }

  private maskChoices(): HTMLElement {
    const { fieldset, slider } = this;
    fieldset.className = 'nn-fieldset nn-masks';
    const strength = document.createElement('label');
    strength.className = 'nn-opacity';
    slider.type = 'range';
    slider.min = '0';
    slider.max = '100';
    slider.step = '5';
    slider.addEventListener('input', () => {
      if (this.masks !== 'off') this.events.masks(this.masks, Number(slider.value) / 100);
    });
    strength.append(textElement('span', 'Opacity', 'nn-label'), slider);
    fieldset.append(textElement('legend', 'Masks', 'nn-label'), this.choices.element, strength);
    return fieldset;
  }
}
