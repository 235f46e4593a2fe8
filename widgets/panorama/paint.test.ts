import { describe, expect, it } from 'vitest';
import { paint, type LabelImage, type MaskStyle } from './paint';
import { colourIndex, PIXELS } from './palette';

/** A label image from rows of digits. */
function labelImage(...rows: string[]): LabelImage {
  const labels = Uint32Array.from(rows.join(''), Number);
  return { width: rows[0]?.length ?? 0, height: rows.length, labels };
}

const colourOf = (label: number) => PIXELS[colourIndex(label)] ?? 0;

/** What is painted: `.` clear, `w` white, `s` a shadow, or the label whose colour it is. */
function painted(image: LabelImage, style: MaskStyle | null, stroke = 1, marked = 0, chosen = 0): string[] {
  const pixels = new Uint32Array(image.labels.length);
  paint(image, pixels, { left: 0, top: 0, right: image.width, bottom: image.height }, { style, stroke, marked, chosen, colourOf });
  const names = new Map([
    [0, '.'],
    [0xffffffff, 'w'],
    [0xd0000000, 's'],
  ]);
  for (const label of new Set(image.labels)) if (label) names.set(colourOf(label), String(label));
  const text = Array.from(pixels, (pixel) => names.get(pixel) ?? '?').join('');
  return Array.from({ length: image.height }, (_, row) => text.slice(row * image.width, (row + 1) * image.width));
}

const BLOCK = labelImage('0000000', '0111110', '0111110', '0111110', '0111110', '0111110', '0000000');

describe('paint', () => {
  it('fills masks', () => {
    expect(painted(labelImage('0112', '0122'), 'fill')).toEqual(['.112', '.122']);
  });

  it('outlines masks inside their border', () => {
    expect(painted(BLOCK, 'outline')).toEqual([
      '.......',
      '.11111.',
      '.1...1.',
      '.1...1.',
      '.1...1.',
      '.11111.',
      '.......',
    ]);
  });

  it('draws wider outlines', () => {
    expect(painted(BLOCK, 'outline', 2)[3]).toBe('.11.11.');
  });

  it('outlines both of two masks that touch, and none at the border of the image', () => {
    expect(painted(labelImage('111222', '111222'), 'outline')).toEqual(['..12..', '..12..']);
  });

  it('marks one nucleus in white', () => {
    expect(painted(BLOCK, 'fill', 1, 1)[3]).toBe('.w111w.');
    expect(painted(BLOCK, 'outline', 1, 1)[3]).toBe('.w...w.');
  });

  it('shows which nucleus is chosen, with a dark line around it, without masks too', () => {
    expect(painted(BLOCK, 'fill', 1, 0, 1).slice(0, 3)).toEqual(['.sssss.', 'swwwwws', 'sw111ws']);
    expect(painted(BLOCK, null, 1, 0, 1).slice(0, 3)).toEqual(['.sssss.', 'swwwwws', 'sw...ws']);
    expect(painted(BLOCK, null)[3]).toBe('.......');
  });

  it('paints only the box that it is given', () => {
    const image = labelImage('1111', '1111');
    const pixels = new Uint32Array(8);
    paint(image, pixels, { left: 1, top: 0, right: 3, bottom: 1 }, { style: 'fill', stroke: 1, marked: 0, chosen: 0, colourOf });
    expect(Array.from(pixels, (pixel) => (pixel ? 1 : 0))).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
  });
});
