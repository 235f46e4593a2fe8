import { disclosureButton, textButton, textElement } from '../shared/elements';
import type { ChannelLook } from './channelstate';

const STEPS = 400;

/** What a channel's sliders go from and to. */
export type Extent = [number, number];

/** Sets how channels are shown: which, in which colours, and from which value to which. */
export class ChannelPanel {
  readonly element = document.createElement('div');
  readonly button = disclosureButton('Channels', 'nn-channels-button', (open) => {
    this.element.hidden = !open;
  });
  private rows: ChannelRow[] = [];

  /** `auto` fits a channel's range to what the image holds. */
  constructor(
    private readonly changed: (channels: ChannelLook[]) => void,
    private readonly auto: (channel: number) => Promise<[number, number]>,
  ) {
    this.element.className = 'nn-channels';
    this.element.hidden = true;
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'Channels');
  }

  /** Opens the panel, as where there are several channels. */
  open(): void {
    if (this.element.hidden) this.button.click();
  }

  show(channels: readonly ChannelLook[], extents: readonly Extent[], integers: boolean): void {
    if (this.rows.length !== channels.length) {
      this.rows = channels.map(
        (_, at) =>
          new ChannelRow(
            integers,
            (change) => {
              this.changed(this.rows.map(({ look }, other) => (other === at ? { ...look, ...change } : look)));
            },
            () => this.auto(at),
          ),
      );
      this.element.replaceChildren(...this.rows.map(({ element }) => element));
    }
    channels.forEach((channel, at) => this.rows[at]?.show(channel, extents[at] ?? channel.range));
  }
}

class ChannelRow {
  readonly element = document.createElement('div');
  look: ChannelLook = { name: '', colour: '#ffffff', range: [0, 1], shown: true };
  private readonly box = document.createElement('input');
  private readonly name = textElement('span', '');
  private readonly colour = document.createElement('input');
  private readonly low = slider();
  private readonly high = slider();
  private readonly text = textElement('output', '', 'nn-range-text');
  private extent: Extent = [0, 1];

  constructor(
    private readonly integers: boolean,
    changed: (change: Partial<ChannelLook>) => void,
    auto: () => Promise<[number, number]>,
  ) {
    const { box, colour, element, low, high, name, text } = this;
    element.className = 'nn-channel';
    box.type = 'checkbox';
    colour.type = 'color';
    const label = document.createElement('label');
    label.className = 'nn-tick';
    label.append(box, name);
    const plot = document.createElement('div');
    plot.className = 'nn-span';
    plot.append(low, high);
    const fit = textButton('Auto', () => {
      void auto().then((range) => {
        changed({ range });
      });
    });
    element.append(label, colour, plot, text, fit);
    box.addEventListener('change', () => {
      changed({ shown: box.checked });
    });
    colour.addEventListener('input', () => {
      changed({ colour: colour.value });
    });
    low.addEventListener('input', () => {
      const most = Math.min(Number(low.value), Number(high.value) - 1);
      changed({ range: [this.valueAt(most), this.look.range[1]] });
    });
    high.addEventListener('input', () => {
      const least = Math.max(Number(high.value), Number(low.value) + 1);
      changed({ range: [this.look.range[0], this.valueAt(least)] });
    });
    this.fit = fit;
  }

  private readonly fit: HTMLButtonElement;

  show(look: ChannelLook, extent: Extent): void {
    const { name, range } = look;
    this.look = look;
    this.extent = [Math.min(extent[0], range[0]), Math.max(extent[1], range[1])];
    this.box.checked = look.shown;
    this.name.textContent = name;
    this.colour.value = look.colour;
    this.colour.setAttribute('aria-label', `Colour of ${name}`);
    this.low.setAttribute('aria-label', `${name}: black from`);
    this.high.setAttribute('aria-label', `${name}: full colour from`);
    this.fit.setAttribute('aria-label', `Fit the range of ${name}`);
    this.low.value = String(this.placeOf(range[0]));
    this.high.value = String(this.placeOf(range[1]));
    for (const [input, value] of [[this.low, range[0]], [this.high, range[1]]] as const) input.setAttribute('aria-valuetext', valueText(value));
    this.low.style.zIndex = this.placeOf(range[0]) > STEPS / 2 ? '2' : '1';
    this.text.textContent = `${valueText(range[0])} – ${valueText(range[1])}`;
    this.element.style.setProperty('--from', String(this.placeOf(range[0]) / STEPS));
    this.element.style.setProperty('--to', String(this.placeOf(range[1]) / STEPS));
    this.element.style.setProperty('--ink', look.colour);
  }

  private placeOf(value: number): number {
    const [least, most] = this.extent;
    return Math.round((STEPS * (value - least)) / (most - least));
  }

  private valueAt(place: number): number {
    const [least, most] = this.extent;
    const value = least + (place / STEPS) * (most - least);
    return this.integers && most - least > STEPS ? Math.round(value) : Number(value.toPrecision(5));
  }
}

function valueText(value: number): string {
  return String(Number(value.toPrecision(5)));
}

function slider(): HTMLInputElement {
  const element = document.createElement('input');
  element.type = 'range';
  element.min = '0';
  element.max = String(STEPS);
  return element;
}
