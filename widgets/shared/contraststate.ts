import { choiceKind, flagKind, numbersKind, type Kinds } from './address';
import { COLOUR_MAPS, type ColourMap } from './colourmaps';
import { PLAIN, type Contrast } from './contrast';

/** Contrast as the state of a view holds it. */
export interface ContrastState {
  /** Grey levels that become black and white, and the gamma between them. */
  contrast: number[] | null;
  invert: boolean;
  colour: ColourMap;
}

export const CONTRAST_STATE: Kinds<ContrastState> = {
  contrast: numbersKind(3, ([min = 0, max = 0, gamma = 0]) => min >= 0 && min < max && max <= 255 && gamma >= 0.1 && gamma <= 5),
  invert: flagKind(),
  colour: choiceKind(COLOUR_MAPS, 'grey'),
};

export function contrastOf({ contrast, invert, colour }: ContrastState): Contrast {
  const [min = PLAIN.min, max = PLAIN.max, gamma = PLAIN.gamma] = contrast ?? [];
  return { min: Math.round(min), max: Math.round(max), gamma, invert, colour };
}

export function contrastState({ min, max, gamma, invert, colour }: Contrast): ContrastState {
  const plain = min === PLAIN.min && max === PLAIN.max && gamma === PLAIN.gamma;
  return { contrast: plain ? null : [min, max, gamma], invert, colour };
}
