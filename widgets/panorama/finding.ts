import type { Panorama } from './panoramas';

/** Where a text leads: to a panorama, to a nucleus of one, or to a pixel of the one that is open. */
export type Destination =
  | { kind: 'panorama'; panorama: Panorama }
  | { kind: 'nucleus'; panorama: Panorama; roi: number }
  | { kind: 'place'; x: number; y: number };

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const PLACE = new RegExp(String.raw`^(?:x\s*)?${NUMBER}\s*(?:[,;]\s*|\s+)(?:y\s*)?${NUMBER}\s*(px|[uµμ]m)?$`, 'i');
const ROI = /^(?:roi|#|nucleus)?[\s_#]*(\d{1,8})$/i;
/** A panorama and a number in it, as cells are named: `Run1TL_top_left_ROI_2`. */
const NAMED_ROI = /^(\S.*?)[\s_,:]+(?:roi[\s_]*|#\s*)(\d{1,8})$/i;

/** Finds panoramas by parts of their names, in any order: what begins with the text comes first. */
export class Finder {
  private readonly names: string[];

  constructor(private readonly panoramas: readonly Panorama[]) {
    this.names = panoramas.map(({ name }) => name.toLowerCase());
  }

  /** At most `most` of those that have all words of a text in their name, and how many there are. */
  find(text: string, most: number): { found: Panorama[]; count: number } {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const [first = ''] = words;
    const places: number[][] = [[], [], []];
    let count = 0;
    this.names.forEach((name, at) => {
      if (!words.every((word) => name.includes(word))) return;
      count += 1;
      const order = name === text.toLowerCase() ? 0 : name.startsWith(first) ? 1 : 2;
      const found = places[order];
      if (found && found.length < most) found.push(at);
    });
    return { found: places.flat().slice(0, most).flatMap((at) => this.panoramas[at] ?? []), count };
  }
}

/** Where a text may lead, the likeliest first; `more` is how many panoramas it fits beside those. */
export function destinations(
  text: string,
  finder: Finder,
  open: Panorama,
  most: number,
): { destinations: Destination[]; more: number } {
  const wanted = text.trim();
  const place = placeOf(wanted, open);
  if (place) return { destinations: [place], more: 0 };
  const found: Destination[] = [];
  const roi = ROI.exec(wanted)?.[1];
  if (roi !== undefined && open.labels !== null && Number(roi) > 0) found.push({ kind: 'nucleus', panorama: open, roi: Number(roi) });
  const [, name, number] = NAMED_ROI.exec(wanted) ?? [];
  if (name !== undefined && number !== undefined && Number(number) > 0) {
    const fitting = finder.find(name, most - found.length).found.filter(({ labels }) => labels !== null);
    found.push(...fitting.map((panorama): Destination => ({ kind: 'nucleus', panorama, roi: Number(number) })));
  }
  const named = finder.find(wanted, most - found.length);
  found.push(...named.found.map((panorama): Destination => ({ kind: 'panorama', panorama })));
  return { destinations: found, more: named.count - named.found.length };
}

/** The pixel that a text such as `1200, 900` or `150, 110 µm` names; null where it names none of this panorama. */
function placeOf(text: string, { width, height, pxPerUm }: Panorama): Destination | null {
  const [, first, second, unit = 'px'] = PLACE.exec(text) ?? [];
  if (first === undefined || second === undefined) return null;
  const scale = unit.toLowerCase() === 'px' ? 1 : pxPerUm;
  if (scale === null) return null;
  const [x, y] = [Number(first) * scale, Number(second) * scale];
  return x <= width && y <= height ? { kind: 'place', x, y } : null;
}
