import { brightOverview } from './diameter';
import { components, hullCorners } from './filters';
import type { Bits, Image } from './plane';

/* Whether nuclei are dark on bright ground, as `nnbook.segmentation.polarity` tells it. */

const OVERVIEW_SIDE_PX = 512;
const BRIGHT_EDGE = 0.6;
const COMPACT = 0.9;
const DARK_NUCLEI = 0.2;
const LEAST_PX2 = 20;

/** What is said of such an image, by the package, too. */
export const DARK_REMARK = 'Nuclei look darker than the background, and methods look for bright ones; invert the image if they are.';

/** Whether nuclei are darker than the ground, as in brightfield or in an inverted image; `greys` are from `greyRange`. */
export function hasDarkNuclei(image: Image, greys: [number, number]): boolean {
  if (greys[0] === greys[1]) return false;
  const { foreground } = brightOverview(image, greys, { side: OVERVIEW_SIDE_PX, blur: 2 });
  const dark = { ...foreground, data: foreground.data.map((bright) => 1 - bright) };
  return brightEdge(foreground) > BRIGHT_EDGE && compactShare(dark) > DARK_NUCLEI;
}

/** Which share of the outermost rows and columns is bright; a corner counts in both of its own. */
function brightEdge({ width, height, data }: Bits): number {
  let bright = 0;
  for (let x = 0; x < width; x++) bright += (data[x] ?? 0) + (data[(height - 1) * width + x] ?? 0);
  for (let y = 0; y < height; y++) bright += (data[y * width] ?? 0) + (data[y * width + width - 1] ?? 0);
  return bright / (2 * (width + height));
}

/** Which share of an area is of compact components that do not touch the image's edge. */
export function compactShare(dark: Bits): number {
  const { width, height } = dark;
  const { areas, boxes, count, labels } = components(dark, 8);
  let [compact, total] = [0, 0];
  for (let label = 1; label < count; label++) {
    const [area, box] = [areas[label] ?? 0, boxes[label]];
    total += area;
    if (!box || area < LEAST_PX2 || box.left === 0 || box.top === 0 || box.right === width || box.bottom === height) continue;
    const part: Bits = { width: box.right - box.left, height: box.bottom - box.top, data: new Uint8Array((box.right - box.left) * (box.bottom - box.top)) };
    for (let at = 0; at < part.data.length; at++) {
      const place = (box.top + Math.floor(at / part.width)) * width + box.left + (at % part.width);
      part.data[at] = labels.data[place] === label ? 1 : 0;
    }
    if (area > COMPACT * outerArea(hullCorners(part))) compact += area;
  }
  return compact / Math.max(1, total);
}

/** The area of a hull of pixels: from their centres, half of its length, and one, bring it to their outer edges. */
function outerArea(hull: [number, number][]): number {
  let [twice, length] = [0, 0];
  hull.forEach(([x, y], at) => {
    const [u, v] = hull[(at + 1) % hull.length] ?? [x, y];
    twice += x * v - u * y;
    length += Math.hypot(u - x, v - y);
  });
  return Math.abs(twice) / 2 + length / 2 + 1;
}
