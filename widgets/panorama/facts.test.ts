import { expect, it } from 'vitest';
import { choiceText, factsText } from './facts';
import type { Panorama } from './panoramas';

it('gives brightness to a tenth, as the list and the plot of all panoramas do', () => {
  const panorama = { name: 'A', rank: null, distance: null, rois: 3, meanIntensity: 121.46, stdIntensity: 70, width: 0, height: 0, pxPerUm: null, preview: false };
  expect(factsText(panorama as Panorama, 1)).toBe('3 nuclei · brightness 121.5 (standard deviation 70.0)');
  expect(choiceText(panorama as Panorama)).toBe('A (3 nuclei, brightness 121.5)');
});
