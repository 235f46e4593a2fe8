export const COLOUR_MAPS = ['grey', 'cividis', 'viridis', 'inferno'] as const;
export type ColourMap = (typeof COLOUR_MAPS)[number];

/**
 * Colours of evenly spaced levels from black to white, between which the table is linear.
 *
 * Cividis (Nuñez, Anderton and Renslow 2018), viridis and inferno (Smith and van der Walt 2015, CC0) grow lighter evenly,
 * for colour-blind readers as well.
 */
const STOPS: Record<ColourMap, string> = {
  grey: '000000 ffffff',
  cividis:
    '00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 dec958 f0d846 fee838',
  viridis:
    '440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725',
  inferno:
    '000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 d24644 e45a31 f1731d f98e09 fcac11 f9cb35 f2ea69 fcffa4',
};

/** Red, green and blue, 0 to 255, of a level from 0 to 1. */
export function colourAt(map: ColourMap, level: number): [number, number, number] {
  const stops = STOPS[map].split(' ');
  const place = level * (stops.length - 1);
  const before = Math.min(stops.length - 2, Math.floor(place));
  const share = place - before;
  const channel = (at: number) => {
    const [low, high] = [stops[before], stops[before + 1]].map((stop) => Number.parseInt(stop?.slice(at, at + 2) ?? '0', 16));
    return Math.round((low ?? 0) * (1 - share) + (high ?? 0) * share);
  };
  return [channel(0), channel(2), channel(4)];
}
