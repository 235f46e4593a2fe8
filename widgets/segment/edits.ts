import type { FullMasks, Nucleus } from './masks';
import type { Image, Labels } from './plane';
import type { Edit } from './protocol';

/** Corrections by hand, as patches over the masks: each is a part of the image with its new labels. */
interface Patch {
  left: number;
  top: number;
  width: number;
  height: number;
  /** A label for each pixel; -1 leaves what is there. */
  labels: Int32Array;
}

/** Masks as they were corrected: numbers that the network's masks have are kept, new ones come after them. */
export class Edits {
  private readonly steps: Patch[][] = [];
  private first: Nucleus[] = [];
  private known = new Map<number, Nucleus>();
  private readonly before: Map<number, Nucleus>[] = [];
  /** Corrections that were taken back, with the nuclei as they were with them. */
  private back: { patches: Patch[]; known: Map<number, Nucleus> }[] = [];
  private highest = 0;

  constructor(
    private readonly masks: FullMasks,
    private readonly image: Image,
  ) {}

  /** Begins with what the network gave. */
  begin(nuclei: Nucleus[]): void {
    this.first = nuclei;
    this.known = new Map(nuclei.map((nucleus) => [nucleus.roi, nucleus]));
    this.highest = nuclei.length;
  }

  get count(): number {
    return this.steps.length;
  }

  get undone(): number {
    return this.back.length;
  }

  nuclei(): Nucleus[] {
    return this.count === 0 ? this.first : [...this.known.values()].sort((a, b) => a.roi - b.roi);
  }

  /** Puts corrections over a part of the masks, of which every `step`th pixel is there. */
  apply(part: Labels, left: number, top: number, step: number): void {
    for (const patch of this.steps.flat()) {
      const from = { x: Math.max(0, Math.ceil((patch.left - left) / step)), y: Math.max(0, Math.ceil((patch.top - top) / step)) };
      const to = { x: Math.min(part.width, Math.ceil((patch.left + patch.width - left) / step)), y: Math.min(part.height, Math.ceil((patch.top + patch.height - top) / step)) };
      for (let y = from.y; y < to.y; y++) {
        for (let x = from.x; x < to.x; x++) {
          const label = patch.labels[(top + y * step - patch.top) * patch.width + left + x * step - patch.left] ?? -1;
          if (label >= 0) part.data[y * part.width + x] = label;
        }
      }
    }
  }

  add(edit: Edit): void {
    const patches = this.patchesOf(edit);
    if (patches.length === 0) return;
    this.before.push(new Map(this.known));
    this.steps.push(patches);
    this.back = [];
    for (const patch of patches) this.measureAround(patch);
  }

  undo(): void {
    const [patches, before] = [this.steps.pop(), this.before.pop()];
    if (!patches || !before) return;
    this.back.push({ patches, known: this.known });
    this.known = before;
  }

  redo(): void {
    const step = this.back.pop();
    if (!step) return;
    this.before.push(this.known);
    this.steps.push(step.patches);
    this.known = step.known;
  }

  private patchesOf(edit: Edit): Patch[] {
    switch (edit.kind) {
      case 'delete':
        return this.relabelled([edit.roi], () => 0);
      case 'merge': {
        const kept = Math.min(...edit.rois);
        return this.relabelled(edit.rois.filter((roi) => roi !== kept), () => kept);
      }
      case 'split': {
        const [[ax, ay] = [0, 0], [bx, by] = [0, 0]] = edit.line;
        const fresh = ++this.highest;
        return this.relabelled([edit.roi], (x, y) => ((bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0 ? fresh : edit.roi));
      }
      case 'draw':
        return this.drawn(edit.roi ?? ++this.highest, edit.outline);
      case 'brush':
        return this.brushed(edit.roi, edit.path, edit.radius, edit.erase);
    }
  }

  private relabelled(rois: number[], labelOf: (x: number, y: number) => number): Patch[] {
    return rois.flatMap((roi) => {
      const nucleus = this.known.get(roi);
      if (!nucleus) return [];
      const { left, top, width, height } = nucleus;
      const here = this.part(left, top, width, height);
      const labels = here.data.map((label, at) => (label === roi ? labelOf(left + (at % width) + 0.5, top + Math.floor(at / width) + 0.5) : -1));
      return [{ left, top, width, height, labels }];
    });
  }

  /** A nucleus of what an outline encloses; other masks keep what is theirs. */
  private drawn(roi: number, outline: [number, number][]): Patch[] {
    const box = this.boxOf(outline, 0);
    if (!box) return [];
    const { left, top, width, height } = box;
    const here = this.part(left, top, width, height);
    const labels = here.data.map((label, at) => (label === 0 && encloses(outline, left + (at % width) + 0.5, top + Math.floor(at / width) + 0.5) ? roi : -1));
    return [{ ...box, labels }];
  }

  private brushed(roi: number, path: [number, number][], radius: number, erase: boolean): Patch[] {
    const box = this.boxOf(path, radius);
    if (!box) return [];
    const { left, top, width, height } = box;
    const here = this.part(left, top, width, height);
    const labels = here.data.map((label, at) => {
      if (label !== (erase ? roi : 0)) return -1;
      return isNear(path, left + (at % width) + 0.5, top + Math.floor(at / width) + 0.5, radius) ? (erase ? 0 : roi) : -1;
    });
    return [{ ...box, labels }];
  }

  private boxOf(points: [number, number][], margin: number): { left: number; top: number; width: number; height: number } | null {
    const { image } = this;
    const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
    const [left, top] = [Math.max(0, Math.floor(Math.min(...xs) - margin)), Math.max(0, Math.floor(Math.min(...ys) - margin))];
    const [right, bottom] = [Math.min(image.width, Math.ceil(Math.max(...xs) + margin)), Math.min(image.height, Math.ceil(Math.max(...ys) + margin))];
    return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : null;
  }

  private part(left: number, top: number, width: number, height: number): Labels {
    const part = this.masks.part(left, top, width, height);
    this.apply(part, left, top, 1);
    return part;
  }

  /** Measures anew all nuclei that a patch may have changed. */
  private measureAround(patch: Patch): void {
    const before = this.masks.part(patch.left, patch.top, patch.width, patch.height);
    this.apply(before, patch.left, patch.top, 1);
    const touched = new Set<number>([...patch.labels].filter((label) => label > 0));
    for (const [roi, one] of this.known) {
      const apart = one.left >= patch.left + patch.width || one.top >= patch.top + patch.height || one.left + one.width <= patch.left || one.top + one.height <= patch.top;
      if (!apart) touched.add(roi);
    }
    for (const roi of touched) {
      const old = this.known.get(roi);
      const [left, top] = [Math.min(old?.left ?? Infinity, patch.left), Math.min(old?.top ?? Infinity, patch.top)];
      const right = Math.max((old?.left ?? 0) + (old?.width ?? 0), patch.left + patch.width);
      const bottom = Math.max((old?.top ?? 0) + (old?.height ?? 0), patch.top + patch.height);
      const fresh = this.measure(roi, this.part(left, top, right - left, bottom - top), left, top);
      if (!fresh) this.known.delete(roi);
      else if (fresh.area !== old?.area || fresh.x !== old.x || fresh.y !== old.y) this.known.set(roi, fresh);
    }
  }

  private measure(roi: number, { data, width }: Labels, left: number, top: number): Nucleus | null {
    let [area, sumX, sumY, sum, squares] = [0, 0, 0, 0, 0];
    const box = { left: Infinity, top: Infinity, right: 0, bottom: 0 };
    data.forEach((label, at) => {
      if (label !== roi) return;
      const [x, y] = [left + (at % width), top + Math.floor(at / width)];
      const grey = this.image.data[y * this.image.width + x] ?? 0;
      area++;
      sumX += x;
      sumY += y;
      sum += grey;
      squares += grey * grey;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    });
    if (area === 0) return null;
    const mean = sum / area;
    const sd = Math.sqrt(Math.max(0, squares / area - mean * mean));
    return { roi, area, left: box.left, top: box.top, width: box.right - box.left, height: box.bottom - box.top, x: sumX / area, y: sumY / area, mean, sd, confidence: null };
  }
}

/** Whether an outline encloses a place, by the even-odd rule. */
function encloses(outline: [number, number][], x: number, y: number): boolean {
  let inside = false;
  outline.forEach(([ax, ay], at) => {
    const [bx, by] = outline[(at + 1) % outline.length] ?? [ax, ay];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}

function isNear(path: [number, number][], x: number, y: number, radius: number): boolean {
  return path.some(([ax, ay], at) => {
    const [bx, by] = path[at + 1] ?? [ax, ay];
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
    return Math.hypot(ax + share * (bx - ax) - x, ay + share * (by - ay) - y) <= radius;
  });
}
