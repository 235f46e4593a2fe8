import { disclosureButton, textButton, textElement } from '../shared/elements';
import { grouped } from '../shared/text';
import type { Panorama } from './panoramas';

/** What of a panorama is saved as a picture: the view or all of it, at 1 / `shrink` of its size. */
export interface Extent {
  whole: boolean;
  shrink: number;
}

/** The smallest picture of a whole panorama on offer. */
const LEAST_PX = 400;

/** Saves pictures of any size and the table of nuclei; `button` opens and closes it. */
export class SavePanel {
  readonly element = textElement('div', '', 'nn-save');
  readonly button = disclosureButton('Export', 'nn-save-button', (open) => {
    this.element.hidden = !open;
  }, 'M12 3v10M8 9l4 4 4-4M4 14v6h16v-6');
  private readonly extent = document.createElement('select');
  private readonly table: HTMLButtonElement;
  private readonly extents: Extent[] = [];

  constructor(events: { picture(extent: Extent): void; table(): void }) {
    const { element, extent } = this;
    const label = textElement('label', '', 'nn-extent');
    extent.className = 'nn-control';
    label.append(textElement('span', 'Picture of', 'nn-label'), extent);
    const save = textButton('Save PNG', () => {
      const wanted = this.extents[Number(extent.value)];
      if (wanted) events.picture(wanted);
    });
    this.table = textButton('Save the nuclei in view as CSV', () => {
      events.table();
    });
    element.append(label, save, this.table);
    element.hidden = true;
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'Export');
  }

  show({ width, height, preview, nuclei }: Panorama): void {
    this.table.disabled = nuclei === null;
    this.extents.splice(0);
    const add = (text: string, extent: Extent) => {
      this.extents.push(extent);
      return new Option(text, String(this.extents.length - 1));
    };
    const options = preview ? [] : [add('this view at full resolution', { whole: false, shrink: 1 })];
    for (let shrink = 1; !preview && Math.max(width, height) / shrink >= LEAST_PX; shrink *= 2) {
      const size = `${grouped(Math.ceil(width / shrink))} × ${grouped(Math.ceil(height / shrink))} px`;
      options.push(add(`the whole panorama, ${size}`, { whole: true, shrink }));
    }
    this.extent.replaceChildren(...options);
    this.extent.disabled = preview;
  }
}
