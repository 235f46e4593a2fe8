import { textButton, textElement } from '../shared/elements';
import { isRecord, numberOf, textOf } from '../shared/json';
import { rangeField, slider } from './settingspanel';

/** A number of a method that moves its masks. */
export interface Setting {
  name: string;
  title: string;
  least: number;
  most: number;
  step: number;
  usual: number;
}

/** A method of segmentation. */
export interface Method {
  name: string;
  title: string;
  settings: Setting[];
}

/** What a kernel says of its methods. */
export function parseMethods(value: unknown): Method[] {
  return (Array.isArray(value) ? value : []).flatMap((one: unknown): Method[] => {
    if (!isRecord(one)) return [];
    const [name, title] = [textOf(one.name), textOf(one.title)];
    const settings = (Array.isArray(one.settings) ? one.settings : []).flatMap((each: unknown): Setting[] => {
      if (!isRecord(each)) return [];
      const [own, shown] = [textOf(each.name), textOf(each.title)];
      const [least, most, step, usual] = [each.least, each.most, each.step, each.usual].map(numberOf);
      return own && shown && least != null && most != null && step != null && usual != null ? [{ name: own, title: shown, least, most, step, usual }] : [];
    });
    return name && title ? [{ name, title, settings }] : [];
  });
}

/** Chooses a method, and moves its settings. */
export class MethodPanel {
  readonly element = textElement('div', '', 'nn-method');
  private readonly select = document.createElement('select');
  private readonly sliders = textElement('div', '', 'nn-method-settings');
  private methods: Method[] = [];
  private shown = '';
  private readonly inputs = new Map<string, { input: HTMLInputElement; text: HTMLElement; setting: Setting }>();

  constructor(private readonly events: { method(name: string): void; values(values: Record<string, number>): void }) {
    const { element, select, sliders } = this;
    select.className = 'nn-control';
    select.setAttribute('aria-label', 'Method');
    select.addEventListener('change', () => {
      events.method(select.value);
    });
    const field = document.createElement('label');
    field.className = 'nn-setting nn-method-choice';
    field.append(textElement('span', 'Method', 'nn-label'), select);
    element.append(field, sliders);
  }

  /** What a method's settings are at first. */
  usual(name: string): Record<string, number> {
    const method = this.methods.find((one) => one.name === name);
    return Object.fromEntries((method?.settings ?? []).map((setting) => [setting.name, setting.usual]));
  }

  /** Offers methods. */
  offer(methods: Method[]): void {
    this.methods = methods;
    this.shown = '';
    this.select.replaceChildren(...methods.map(({ name, title }) => new Option(title, name)));
  }

  show(name: string, values: Record<string, number>): void {
    if (name !== this.shown) this.build(name);
    this.select.value = name;
    for (const [own, { input, text, setting }] of this.inputs) {
      const value = values[own] ?? setting.usual;
      input.value = String(value);
      text.textContent = value.toFixed(setting.step < 0.1 ? 2 : 1).replace('-', '−');
    }
  }

  private build(name: string): void {
    this.shown = name;
    this.inputs.clear();
    const settings = this.methods.find((one) => one.name === name)?.settings ?? [];
    const fields = settings.map((setting) => {
      const input = slider(setting.title, setting.least, setting.most, setting.step);
      const text = textElement('output', '', 'nn-value');
      this.inputs.set(setting.name, { input, text, setting });
      input.addEventListener('input', () => {
        this.events.values(Object.fromEntries([...this.inputs].map(([own, one]) => [own, Number(one.input.value)])));
      });
      return rangeField(setting.title, input, text);
    });
    const usual = textButton('Reset', () => {
      this.events.values(this.usual(name));
    });
    usual.title = 'Take the settings that the method has by itself';
    this.sliders.replaceChildren(...fields, ...(fields.length > 0 ? [usual] : []));
  }
}
