import { textButton, textElement } from '../shared/elements';
import { brightness, grouped } from '../shared/text';
import type { Panorama } from './panoramas';

/** The panoramas with their values, by rank: a table whose names are buttons. */
export class Ranking {
  readonly element = document.createElement('div');
  private readonly body = document.createElement('tbody');
  private panoramas: Panorama[] = [];
  private buttons: HTMLButtonElement[] = [];

  constructor(
    ranked: boolean,
    private readonly choose: (panorama: Panorama) => void,
  ) {
    this.element.className = 'nn-ranking';
    const table = document.createElement('table');
    const caption = textElement('caption', ranked ? 'Representatives, nearest the centroid first' : 'Panoramas');
    const head = document.createElement('thead');
    const row = document.createElement('tr');
    const columns = ['Rank', 'Panorama', 'Nuclei', 'Brightness', 'Distance'];
    for (const name of columns) {
      const cell = textElement('th', SHORT[name] ?? name) as HTMLTableCellElement;
      cell.scope = 'col';
      if (name in SHORT) cell.title = name;
      row.append(cell);
    }
    head.append(row);
    table.append(caption, head, this.body);
    this.element.append(table);
    this.body.addEventListener('keydown', (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const at = this.buttons.indexOf(event.target as HTMLButtonElement);
      const next = step === undefined ? undefined : this.buttons[at + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  }

  /** Lists panoramas, one of which is open. */
  show(panoramas: Panorama[], open: Panorama): void {
    if (panoramas.length !== this.panoramas.length || panoramas.some((one, at) => one !== this.panoramas[at])) {
      this.panoramas = panoramas;
      this.buttons = [];
      this.body.replaceChildren(...panoramas.map((panorama) => this.row(panorama)));
    }
    panoramas.forEach((panorama, at) => {
      const button = this.buttons[at];
      if (!button) return;
      const current = panorama === open;
      if (current) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
      // One stop for Tab; arrow keys go on from there.
      button.tabIndex = current ? 0 : -1;
    });
  }

  private row(panorama: Panorama): HTMLElement {
    const { rank, name, rois, meanIntensity, distance } = panorama;
    const row = document.createElement('tr');
    const choose = () => {
      this.choose(panorama);
    };
    const button = textButton(name, choose, '');
    button.title = name;
    this.buttons.push(button);
    const named = document.createElement('th');
    named.scope = 'row';
    named.append(button);
    const cells = [rank === null ? '' : String(rank), named, rois === null ? '' : grouped(rois), meanIntensity === null ? '' : brightness(meanIntensity), distance === null ? '' : distance.toFixed(2)];
    row.append(...cells.map((cell) => (typeof cell === 'string' ? textElement('td', cell) : cell)));
    return row;
  }
}

const SHORT: Partial<Record<string, string>> = { Rank: '#', Brightness: 'Mean' };
