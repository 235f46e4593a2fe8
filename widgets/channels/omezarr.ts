import { isRecord, numberOf, textOf } from '../shared/json';
import { Problem } from '../shared/problem';

/** How a channel is shown. */
export interface Channel {
  name: string;
  /** Such as `#ff00ff`. */
  colour: string;
  /** The values shown as black and as the full colour; null where the image does not say. */
  range: [number, number] | null;
  shown: boolean;
}

/** An image as its OME-Zarr metadata describe it. */
export interface Multiscale {
  /** Where its levels are below the image, the largest first. */
  paths: string[];
  /** Names of the axes in order: x, y, and maybe z, c, t. */
  axes: string[];
  /** Pixels a micrometre, where known. */
  pxPerUm: number | null;
  /** What the image says of its channels; empty where it says nothing. */
  channels: Channel[];
  /** The z plane shown first, from 0; null where the image does not say. */
  z: number | null;
}

/** More are not told apart. */
export const MOST_CHANNELS = 6;

/**
 * Colours of channels that the image says nothing of. Magenta and green, then yellow and blue: pairs that all readers tell
 * apart, also where they add up. One channel alone is grey.
 */
export const COLOURS = ['#ff00ff', '#00ff00', '#ffd400', '#2f6bff', '#00ffff', '#ff6a00'] as const;

const UM: Partial<Record<string, number>> = { micrometer: 1, micrometre: 1, micron: 1, um: 1, 'µm': 1, nanometer: 1e-3, nm: 1e-3, millimeter: 1e3, mm: 1e3 };

/** Reads the attributes of a group, of OME-Zarr 0.4 (they themselves) or 0.5 (under `ome`). */
export function parseMultiscale(attributes: unknown, where: string): Multiscale {
  const ome = isRecord(attributes) && isRecord(attributes.ome) ? attributes.ome : attributes;
  if (!isRecord(ome)) throw new Problem(`What ${where} has at this address is no OME-Zarr image.`);
  if (isRecord(ome.plate)) throw new Problem(`${where} has a plate at this address; name one of its fields, such as A/1/0.`);
  const first: unknown = Array.isArray(ome.multiscales) ? ome.multiscales[0] : null;
  if (!isRecord(first) || !Array.isArray(first.datasets) || first.datasets.length === 0) {
    throw new Problem(`What ${where} has at this address is no OME-Zarr image: it names no multiscales.`);
  }
  const axes = axesOf(first.axes);
  const datasets: unknown[] = first.datasets;
  const paths = datasets.map((dataset) => (isRecord(dataset) ? textOf(dataset.path) : null)).filter((path) => path !== null);
  if (!axes.includes('x') || !axes.includes('y') || paths.length < datasets.length) {
    throw new Problem(`The OME-Zarr image of ${where} is damaged: its axes or levels have no names.`);
  }
  const omero = isRecord(ome.omero) ? ome.omero : {};
  const z = isRecord(omero.rdefs) ? numberOf(omero.rdefs.defaultZ) : null;
  return { paths, axes, pxPerUm: scaleOf(first, axes), channels: channelsOf(omero.channels), z };
}

/** The first series of a file that was converted by bioformats2raw; null where the group is no such file. */
export function firstSeries(attributes: unknown): string | null {
  const ome = isRecord(attributes) && isRecord(attributes.ome) ? attributes.ome : attributes;
  return isRecord(ome) && ome['bioformats2raw.layout'] !== undefined && ome.multiscales === undefined ? '0' : null;
}

/** The channels of an image of so many: what it says of them, and colours for the others. */
export function allChannels(known: readonly Channel[], count: number): Channel[] {
  return Array.from({ length: count }, (_, at) => {
    const colour = count === 1 ? '#ffffff' : (COLOURS[at % COLOURS.length] ?? COLOURS[0]);
    const { name = '', ...rest } = known[at] ?? { colour, range: null, shown: true };
    return { ...rest, name: name === '' ? `Channel ${at + 1}` : name };
  }).map((channel, at, all) => ({
    ...channel,
    shown: channel.shown && all.slice(0, at).filter(({ shown }) => shown).length < MOST_CHANNELS,
  }));
}

function axesOf(value: unknown): string[] {
  // Before 0.3 the order was fixed.
  if (value === undefined) return ['t', 'c', 'z', 'y', 'x'];
  const axes: unknown[] = Array.isArray(value) ? value : [];
  return axes.map((axis) => (isRecord(axis) ? textOf(axis.name) : textOf(axis)) ?? '');
}

function channelsOf(value: unknown): Channel[] {
  const channels: unknown[] = Array.isArray(value) ? value : [];
  return channels.map((channel, at) => {
    const { label, color, window, active } = isRecord(channel) ? channel : {};
    const [start, end] = isRecord(window) ? [numberOf(window.start), numberOf(window.end)] : [null, null];
    const own = /^#?([0-9a-f]{6})$/i.exec(textOf(color) ?? '')?.[1];
    return {
      name: textOf(label) ?? '',
      colour: own === undefined ? (channels.length === 1 ? '#ffffff' : (COLOURS[at % COLOURS.length] ?? COLOURS[0])) : `#${own.toLowerCase()}`,
      range: start !== null && end !== null && start < end ? [start, end] : null,
      shown: active !== false,
    };
  });
}

/** Pixels a micrometre along x, from the scale of the largest level and the one that all levels share. */
function scaleOf(multiscale: Record<string, unknown>, axes: string[]): number | null {
  const at = axes.indexOf('x');
  const axis: unknown = Array.isArray(multiscale.axes) ? multiscale.axes[at] : null;
  const um = isRecord(axis) ? UM[textOf(axis.unit) ?? ''] : undefined;
  const first: unknown = Array.isArray(multiscale.datasets) ? multiscale.datasets[0] : null;
  const steps = [multiscale, first].map((one) => {
    const all: unknown[] = isRecord(one) && Array.isArray(one.coordinateTransformations) ? one.coordinateTransformations : [];
    const scale = all.find((step): step is Record<string, unknown> => isRecord(step) && step.type === 'scale');
    return Array.isArray(scale?.scale) ? (numberOf(scale.scale[at]) ?? 1) : null;
  });
  if (um === undefined || steps.every((step) => step === null)) return null;
  const width = um * steps.reduce((product: number, step) => product * (step ?? 1), 1);
  return width > 0 ? 1 / width : null;
}
