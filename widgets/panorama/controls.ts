import { iconButton, textElement } from '../shared/elements';
import { grouped, nuclei, rounded } from '../shared/text';
import type { MaskStyle } from './paint';
import type { Panorama } from './panoramas';
import { lengthText } from './scalebar';

const MASK_CHOICES: { style: MaskStyle | null; text: string }[] = [
  { style: null, text: 'Off' },
  { style: 'fill', text: 'Filled' },
  { style: 'outline', text: 'Outlined' },
];

/** The row over the image: which panorama, and how its masks are drawn. */
export class Toolbar {
  readonly element = document.createElement('div');
  private readonly select = document.createElement('select');
  private readonly masks = document.createElement('fieldset');
  private readonly slider = document.createElement('input');
  /** Outlines are thin and want to be strong, fills are wide and must let the image through. */
  private readonly opacity: Record<MaskStyle, number> = { fill: 0.5, outline: 1 };
  private style: MaskStyle | null = 'fill';

  constructor(
    private readonly panoramas: Panorama[],
    private readonly events: {
      choose(panorama: Panorama): void;
      masks(style: MaskStyle | null, opacity: number): void;
    },
  ) {
    this.element.className = 'nn-toolbar';
    this.element.append(this.buildSelect(), this.buildMasks());
  }

  /** Shows which panorama is open, and whether it has masks to set. */
  show(panorama: Panorama): void {
    this.select.value = String(this.panoramas.indexOf(panorama));
    this.masks.disabled = panorama.labels === null;
  }

  /** Tells how masks are to be drawn now. */
  announceMasks(): void {
    const { style } = this;
    this.slider.disabled = style === null;
    if (style !== null) this.slider.value = String(this.opacity[style] * 100);
    this.events.masks(style, style === null ? 0 : this.opacity[style]);
  }

  private buildSelect(): HTMLElement {
    const label = document.createElement('label');
    label.className = 'nn-choose';
    label.append(textElement('span', 'Panorama', 'nn-label'), this.select);
    this.panoramas.forEach((panorama, at) => {
      this.select.append(new Option(choiceText(panorama), String(at)));
    });
    this.select.addEventListener('change', () => {
      const chosen = this.panoramas[Number(this.select.value)];
      if (chosen) this.events.choose(chosen);
    });
    return label;
  }

  private buildMasks(): HTMLElement {
    this.masks.className = 'nn-masks';
    const choices = document.createElement('div');
    choices.className = 'nn-choices';
    // The name keeps the radio buttons of two widgets on one page apart.
    const name = `nn-masks-${crypto.getRandomValues(new Uint32Array(1)).join('')}`;
    for (const { style, text } of MASK_CHOICES) {
      const label = document.createElement('label');
      const radio = document.createElement('input');
      radio.type = 'radio';
      radio.name = name;
      radio.value = style ?? 'off';
      radio.checked = style === this.style;
      radio.addEventListener('change', () => {
        this.style = style;
        this.announceMasks();
      });
      label.append(radio, textElement('span', text));
      choices.append(label);
    }
    const strength = document.createElement('label');
    strength.className = 'nn-opacity';
    const { slider } = this;
    slider.type = 'range';
    slider.min = '5';
    slider.max = '100';
    slider.step = '5';
    slider.addEventListener('input', () => {
      if (this.style === null) return;
      this.opacity[this.style] = Number(slider.value) / 100;
      this.announceMasks();
    });
    strength.append(textElement('span', 'Opacity', 'nn-label'), slider);
    this.masks.append(textElement('legend', 'Masks', 'nn-label'), choices, strength);
    return this.masks;
  }
}

/** The buttons over the image's corner. */
export function viewButtons(actions: {
  zoomIn: () => void;
  zoomOut: () => void;
  showAll: () => void;
  /** Missing where the browser has no full screen for a part of the page. */
  fullScreen?: () => void;
}): HTMLElement {
  const element = document.createElement('div');
  element.className = 'nn-buttons';
  element.setAttribute('role', 'group');
  element.setAttribute('aria-label', 'View');
  element.append(
    iconButton('Zoom in', 'M12 5v14M5 12h14', actions.zoomIn),
    iconButton('Zoom out', 'M5 12h14', actions.zoomOut),
    iconButton('Show the whole panorama', 'M4 4h16v16H4zM9 9h6v6H9z', actions.showAll),
  );
  if (actions.fullScreen) {
    element.append(iconButton('Full screen', 'M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5', actions.fullScreen));
  }
  return element;
}

/** What is known of a panorama, for the line under the image. */
export function factsText(panorama: Panorama, count: number): string {
  const { rank, distance, rois, meanIntensity, stdIntensity, width, height, pxPerUm } = panorama;
  const facts: string[] = [];
  if (rank !== null) {
    const from = distance === null ? '' : `, ${rounded(distance)} from the centroid`;
    facts.push(`Rank ${rank} of ${count}${from}`);
  }
  if (rois !== null) facts.push(nuclei(rois));
  if (meanIntensity !== null) {
    facts.push(`brightness ${rounded(meanIntensity)}${stdIntensity === null ? '' : ` (SD ${rounded(stdIntensity)})`}`);
  }
  const size = `${grouped(width)} × ${grouped(height)} px`;
  facts.push(pxPerUm === null ? size : `${size}, ${lengthText(width / pxPerUm)} wide`);
  return facts.join(' · ');
}

function choiceText({ rank, name, rois, meanIntensity }: Panorama): string {
  const facts: string[] = [];
  if (rois !== null) facts.push(nuclei(rois));
  if (meanIntensity !== null) facts.push(`brightness ${rounded(meanIntensity)}`);
  return `${rank === null ? '' : `${rank}. `}${name}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`;
}
