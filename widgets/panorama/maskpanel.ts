import { Choices } from '../shared/choices';
import { controlGroup, disclosureButton, textButton, textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import { Legend } from './legend';
import { describe, measuresOf, type Measure, type Scale } from './measures';
import { KINDS, type Mistake, type MistakeKind } from './mistakes';
import type { Nuclei } from './nuclei';
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

/** What nearly every table has. */
const USUAL = ['area_um2', 'mean_intensity', 'std_intensity', 'class'];
/** From this width on, the panel is open at first. */
const WIDE_PX = 700;

/** How masks are drawn, as the state has it. */
export interface MaskSettings {
  masks: Masks;
  opacity: number | null;
  by: string | null;
  truth: boolean;
  swipe: number | null;
}

/** Sets how masks are drawn, beside the legend of their colours; `button` opens and closes it. */
export class MaskPanel {
  readonly element = document.createElement('div');
  readonly button = disclosureButton('Masks', 'nn-masks-button', (open) => {
    this.element.hidden = !open;
  }, 'M4 8c0-3 4-4 7-3s4 4 2 6-9 1-9-3zM12 17c0-2 3-4 6-3s3 5 0 6-6-1-6-3z');
  private readonly choices = new Choices<Masks>(MASK_CHOICES, (masks) => {
    this.events.change({ masks, opacity: masks === 'off' ? null : this.opacity[masks] });
  });
  private readonly slider = document.createElement('input');
  private readonly by = document.createElement('select');
  private readonly truth = checkbox((truth) => {
    this.events.change({ truth });
  });
  private readonly swipe = checkbox((swipe) => {
    this.events.change({ swipe: swipe ? 0.5 : null });
  });
  private readonly truthTick = tick(this.truth, 'Truth');
  private readonly swipeName = textElement('span', '');
  private readonly controls: HTMLFieldSetElement;
  private readonly legend = new Legend();
  private readonly steps = textElement('div', '', 'nn-mistakes');
  private masks: Masks = 'fill';
  private nuclei: Nuclei | null = null;
  /** What was set for each style, for when that style comes back. */
  private readonly opacity: Record<MaskStyle, number | null> = { fill: null, outline: null };

  constructor(
    private readonly events: {
      change(settings: Partial<MaskSettings>): void;
      /** The columns of the table are wanted. */
      load(): void;
      goToMistake(kind: MistakeKind): void;
    },
  ) {
    const { by, slider, steps } = this;
    this.element.className = 'nn-masks';
    slider.type = 'range';
    slider.min = '0';
    slider.max = '100';
    slider.step = '5';
    slider.addEventListener('input', () => {
      if (this.masks !== 'off') this.events.change({ masks: this.masks, opacity: Number(slider.value) / 100 });
    });
    by.className = 'nn-control';
    this.offer(USUAL.map(describe));
    by.addEventListener('change', () => {
      this.events.change({ by: by.value === '' ? null : by.value });
    });
    // All columns are known once the table has come; who opens the list has pointed at it, or tabbed to it.
    for (const event of ['pointerenter', 'focus']) {
      by.addEventListener(event, () => {
        this.events.load();
      });
    }
    const swipeTick = tick(this.swipe, this.swipeName);
    this.controls = controlGroup(
      'Masks',
      'nn-mask-controls',
      this.choices.element,
      labelled('Opacity', slider, 'nn-opacity'),
      labelled('Coloured by', by, 'nn-by'),
      this.truthTick,
      swipeTick,
    );
    steps.setAttribute('role', 'group');
    steps.setAttribute('aria-label', 'What the masks get wrong');
    this.element.append(this.controls, this.legend.element, steps);
    this.element.hidden = true;
  }

  /** Opens the panel where there is room for it. */
  openIfWide(width: number): void {
    if (width >= WIDE_PX && this.element.hidden) this.button.click();
  }

  show(open: Panorama, { masks, opacity, by, truth, swipe }: MaskSettings): void {
    this.controls.disabled = open.labels === null;
    this.masks = masks;
    this.choices.show(masks);
    this.slider.disabled = masks === 'off';
    this.truthTick.hidden = open.truth === null;
    this.truth.checked = truth;
    this.swipe.checked = swipe !== null;
    this.swipeName.textContent = truth && open.truth !== null ? 'Swipe: masks | truth' : 'Swipe: image | masks';
    // With the truth beside them, masks have one colour.
    if (this.by.options[0]) this.by.options[0].text = truth && open.truth !== null ? 'Masks and truth' : 'Number';
    if (by !== null && ![...this.by.options].some(({ value }) => value === by)) this.by.append(new Option(by, by));
    this.by.value = by ?? '';
    if (masks === 'off') return;
    this.opacity[masks] = opacity;
    this.slider.value = String((opacity ?? OPACITY[masks]) * 100);
  }

  /** Shows what the table offers to colour by, and the legend of what is coloured. */
  showColours(nuclei: Nuclei | null, by: string | null, scale: Scale | null): void {
    if (nuclei && nuclei !== this.nuclei) {
      this.nuclei = nuclei;
      this.offer(measuresOf(nuclei));
    }
    this.by.value = by ?? '';
    this.legend.show(by, scale);
  }

  private offer(measures: Measure[]): void {
    const options = measures.map(({ column, name, unit }) => new Option(unit === '' ? name : `${name} (${unit})`, column));
    this.by.replaceChildren(new Option(this.by.options[0]?.text ?? 'Number', ''), ...options);
  }

  /** Shows what the masks get wrong, as buttons that go there; null where that is not shown. */
  showMistakes(mistakes: readonly Mistake[] | null): void {
    this.steps.hidden = mistakes === null;
    this.steps.replaceChildren(
      swatch('#56b4e9', 'Truth'),
      swatch('#d55e00', 'Masks'),
      ...KINDS.map((kind) => {
        const count = (mistakes ?? []).filter((one) => one.kind === kind).length;
        const button = textButton(`${kind} ${grouped(count)}`, () => {
          this.events.goToMistake(kind);
        }, 'nn-button nn-again');
        button.disabled = count === 0;
        button.title = `Go to the next: ${MEANING[kind]}`;
        return button;
      }),
    );
  }
}

const MEANING: Record<MistakeKind, string> = {
  missed: 'a true nucleus of which masks cover less than half',
  spurious: 'a mask of which less than half is in true nuclei',
  split: 'a true nucleus with several masks',
  merged: 'a mask over several true nuclei',
};

function checkbox(changed: (checked: boolean) => void): HTMLInputElement {
  const input = document.createElement('input');
  input.type = 'checkbox';
  input.addEventListener('change', () => {
    changed(input.checked);
  });
  return input;
}

function tick(input: HTMLInputElement, text: string | HTMLElement): HTMLElement {
  const label = textElement('label', '', 'nn-tick');
  label.append(input, typeof text === 'string' ? textElement('span', text) : text);
  return label;
}

function labelled(name: string, control: HTMLElement, className: string): HTMLElement {
  const label = textElement('label', '', className);
  label.append(textElement('span', name, 'nn-label'), control);
  return label;
}

function swatch(colour: string, text: string): HTMLElement {
  const key = textElement('span', '', 'nn-key');
  const line = textElement('span', '', 'nn-swatch');
  line.style.background = colour;
  key.append(line, text);
  return key;
}
