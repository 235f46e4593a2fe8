import { choiceKind, numberKind, optionalKind, SHARED, textKind, type Kinds, type Shared } from '../shared/address';
import { CONTRAST_STATE, type ContrastState } from '../shared/contraststate';
import { isRecord } from '../shared/json';
import { VIEW } from '../shared/zoomstate';

/** How a channel is shown, as a reader or a host sets it. */
export interface ChannelLook {
  name: string;
  colour: string;
  range: [number, number];
  shown: boolean;
}

/** All that is in a link to a view of an image with several channels. */
export interface ChannelState extends Shared, ContrastState {
  /** Centre (x, y) and width of what is seen, in pixels of the image; null shows all of it. */
  view: number[] | null;
  /** How each channel is shown; null is how the image says. */
  channels: ChannelLook[] | null;
  /** The z plane shown, from 0; null is the one that the image says, or the middle one. */
  z: number | null;
  masks: 'fill' | 'outline' | 'off';
  /** The name of the image's own labels that are shown as masks; null is the first of them. */
  labels: string | null;
  /** How far masks hide the image, 0 to 1; null is what suits their style. */
  opacity: number | null;
}

const MOST = 64;
const COLOUR = /^#[0-9a-f]{6}$/i;
const NUMBER = '-?\\d{1,12}(?:\\.\\d{1,9})?';
const CHANNEL = new RegExp(`^([0-9a-f]{6}),(${NUMBER}),(${NUMBER}),([01])$`, 'i');

export const CHANNEL_STATE: Kinds<ChannelState> = {
  ...SHARED,
  ...CONTRAST_STATE,
  view: VIEW,
  channels: { absent: null, parse: parseChannels, format: channelsText, accept: acceptChannels },
  z: optionalKind(numberKind(0, 100_000, 0)),
  masks: choiceKind(['fill', 'outline', 'off'], 'fill'),
  labels: textKind(),
  opacity: optionalKind(numberKind(0, 1, 0)),
};

/** Reads `ff00ff,100,4000,1;00ff00,0,255,0`: colour, range, and whether it is shown, of each channel. */
function parseChannels(text: string): ChannelLook[] | undefined {
  const found = text.split(';', MOST + 1).map((part) => {
    const [, colour, low, high, shown] = CHANNEL.exec(part) ?? [];
    return { name: '', colour: `#${colour ?? ''}`, range: [Number(low), Number(high)], shown: shown === '1' };
  });
  return acceptChannels(found);
}

function channelsText(channels: ChannelLook[] | null): string {
  const number = (value: number) => String(Number(value.toPrecision(7)));
  return (channels ?? []).map(({ colour, range, shown }) => `${colour.slice(1)},${range.map(number).join(',')},${shown ? 1 : 0}`).join(';');
}

function acceptChannels(value: unknown): ChannelLook[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST) return undefined;
  const channels = value.flatMap((entry: unknown) => {
    if (!isRecord(entry)) return [];
    const { name, colour, range, shown } = entry;
    const limits: unknown[] = Array.isArray(range) ? range : [];
    const [low, high] = limits;
    const fits = typeof colour === 'string' && COLOUR.test(colour) && typeof low === 'number' && typeof high === 'number' && low < high && Number.isFinite(high - low);
    return fits ? [{ name: typeof name === 'string' ? name : '', colour, range: [low, high] as [number, number], shown: shown !== false }] : [];
  });
  return channels.length === value.length ? channels : undefined;
}
