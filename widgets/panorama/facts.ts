import { lengthText } from '../shared/scalebar';
import { brightness, grouped, nuclei, rounded } from '../shared/text';
import type { Panorama } from './panoramas';

/** What is known of a panorama, for the line under the image. */
export function factsText(panorama: Panorama, count: number): string {
  const { rank, distance, rois, meanIntensity, stdIntensity, width, height, pxPerUm } = panorama;
  const facts: string[] = [];
  // Alone, a panorama represents no others.
  if (rank !== null && count > 1) {
    const from = distance === null ? '' : `, ${rounded(distance)} from the centroid`;
    facts.push(`Rank ${rank} of ${count}${from}`);
  }
  if (rois !== null) facts.push(nuclei(rois));
  if (meanIntensity !== null) {
    facts.push(`brightness ${brightness(meanIntensity)}${stdIntensity === null ? '' : ` (standard deviation ${brightness(stdIntensity)})`}`);
  }
  if (width > 0) {
    const size = `${grouped(width)} × ${grouped(height)} px`;
    facts.push(pxPerUm === null ? size : `${size}, ${lengthText(width / pxPerUm)} wide`);
  }
  return facts.join(' · ');
}

/** What is known of a panorama, where one is chosen from many. */
export function choiceText({ rank, name, rois, meanIntensity, preview }: Panorama): string {
  const facts: string[] = [];
  if (rois !== null) facts.push(nuclei(rois));
  if (meanIntensity !== null) facts.push(`brightness ${brightness(meanIntensity)}`);
  if (preview) facts.push('preview');
  return `${rank === null ? '' : `${rank}. `}${name}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`;
}
