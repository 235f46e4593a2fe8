import { contrastTable, type Contrast } from './contrast';
import { scaleLength } from './scalebar';

/** What a picture of a view is made of. */
export interface Shown {
  image: HTMLCanvasElement;
  /** What is over it, of the same size on the screen. */
  over: HTMLCanvasElement[];
  contrast: Contrast;
  /** Pixels of the picture a micrometre, where known. */
  pixelsPerMicrometre: number | null;
  /** Pixels of the picture a CSS pixel. */
  ratio: number;
  title: string;
  /** Where the picture comes from and how it is shown. */
  lines: string[];
}

/** Draws a view as a PNG with its scale bar, and below it its name and source. */
export async function viewPicture(shown: Shown): Promise<Blob> {
  const { image, over, ratio, title, lines } = shown;
  const sheet = newSheet(image.width, image.height, ratio, title, lines);
  sheet.context.drawImage(recoloured(image, shown.contrast), 0, 0);
  for (const canvas of over) sheet.context.drawImage(canvas, 0, 0, image.width, image.height);
  return finishSheet(sheet, shown.pixelsPerMicrometre);
}

/** A picture of a given size with room below it for its name and source, which are there already. */
export interface Sheet {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  ratio: number;
}

/** Makes a sheet, as far as the browser has memory for one. */
export function newSheet(width: number, height: number, ratio: number, title: string, lines: string[]): Sheet {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no 2D canvas');
  const [size, pad] = [13 * ratio, 12 * ratio];
  const font = (weight: string) => `${weight} ${size}px system-ui, sans-serif`;
  context.font = font('normal');
  const wrappedLines = lines.flatMap((line) => wrapped(context, line, width - 2 * pad));
  canvas.width = width;
  canvas.height = Math.round(height + 2 * pad + (wrappedLines.length + 1) * size * 1.4);
  context.fillStyle = '#fff';
  context.fillRect(0, height, canvas.width, canvas.height - height);
  // A canvas that is too large takes no paint, without an error.
  if (context.getImageData(width - 1, canvas.height - 1, 1, 1).data[3] !== 255) throw new TooLarge();
  context.fillStyle = '#1c1f23';
  context.textBaseline = 'top';
  context.textAlign = 'left';
  [title, ...wrappedLines].forEach((line, at) => {
    context.font = font(at === 0 ? 'bold' : 'normal');
    context.fillText(line, pad, height + pad + at * size * 1.4);
  });
  return { context, width, height, ratio };
}

/** A browser refuses the memory that a picture takes. */
export class TooLarge extends Error {}

/** Draws the scale bar, where `perUm` pixels are a micrometre, and hands the sheet out as a PNG. */
export function finishSheet({ context, width, height, ratio }: Sheet, perUm: number | null): Promise<Blob> {
  if (perUm !== null) drawScale(context, perUm, { width, height }, ratio);
  return new Promise((resolve, reject) => {
    context.canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new TooLarge());
    }, 'image/png');
  });
}

/** The image as the filter shows it, on black. */
function recoloured(image: HTMLCanvasElement, contrast: Contrast): HTMLCanvasElement {
  const copy = document.createElement('canvas');
  copy.width = image.width;
  copy.height = image.height;
  const context = copy.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2D canvas');
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, copy.width, copy.height);
  const { data } = pixels;
  const table = contrastTable(contrast);
  for (let at = 0; at < data.length; at += 4) {
    const beside = data[at + 3] === 0;
    for (let channel = 0; channel < 3; channel++) {
      data[at + channel] = beside ? 0 : (table[3 * (data[at + channel] ?? 0) + channel] ?? 0);
    }
    data[at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return copy;
}

function drawScale(context: CanvasRenderingContext2D, perUm: number, { width, height }: { width: number; height: number }, ratio: number): void {
  const { pixels, text } = scaleLength(perUm, Math.min(160 * ratio, width * 0.3));
  const [left, bottom] = [14 * ratio, height - 14 * ratio];
  context.fillStyle = '#000';
  context.fillRect(left - ratio, bottom - 5 * ratio, pixels + 2 * ratio, 6 * ratio);
  context.fillStyle = '#fff';
  context.fillRect(left, bottom - 4 * ratio, pixels, 4 * ratio);
  context.font = `${13 * ratio}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'bottom';
  context.shadowColor = '#000';
  context.shadowBlur = 4 * ratio;
  context.fillText(text, left + pixels / 2, bottom - 6 * ratio);
}

function wrapped(context: CanvasRenderingContext2D, text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Hands a file to the reader. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/[^\w.-]+/g, '_');
  // In VS Code the page saves nothing by itself: the editor follows clicks that it sees.
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 60_000);
}
