import type { Images } from '../cells/source';

/** The image of one nucleus, in grey; nothing until it has come. */
export class NucleusPicture {
  readonly element = document.createElement('canvas');
  private images: Promise<Images> | null = null;
  private cell: number | null = null;

  constructor(private readonly open: (arrived: (cell: number) => void) => Promise<Images>) {
    this.element.hidden = true;
  }

  /** Shows a cell; null shows none. */
  show(cell: number | null): void {
    this.cell = cell;
    this.element.hidden = true;
    if (cell === null && this.images === null) return;
    this.images ??= this.open((arrived) => void this.draw(arrived));
    this.images.then(
      (images) => {
        if (this.cell !== cell) return;
        images.want(cell === null ? [] : [cell]);
        if (cell !== null) void this.draw(cell);
      },
      () => {
        this.images = null; // asked again, it is tried again
        this.element.dispatchEvent(new Event('error'));
      },
    );
  }

  private async draw(cell: number): Promise<void> {
    const images = await this.images;
    const pixels = images?.get(cell) ?? null;
    if (!images || cell !== this.cell || pixels === null) return;
    if (pixels === 'failed') {
      this.element.dispatchEvent(new Event('error'));
      return;
    }
    const { element } = this;
    element.width = element.height = images.side;
    const image = new ImageData(images.side, images.side);
    const words = new Uint32Array(image.data.buffer);
    for (let at = 0; at < words.length; at++) words[at] = (0xff000000 | ((pixels[at] ?? 0) * 0x010101)) >>> 0;
    element.getContext('2d')?.putImageData(image, 0, 0);
    element.hidden = false;
  }
}
