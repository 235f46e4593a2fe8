import { Choices } from '../shared/choices';
import { PLAIN } from '../shared/contrast';
import { textElement } from '../shared/elements';
import { textTrait, type Model } from '../shared/model';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { ZoomView } from '../shared/zoomview';
import { LabelImages } from '../panorama/labelimages';
import { Measurements } from '../panorama/measurements';
import { nucleusText } from '../panorama/nuclei';
import { CHANNEL_STATE, type ChannelLook, type ChannelState } from './channelstate';
import { usualRange, type Look } from './composite';
import { ChannelPanel, type Extent } from './panel';
import { ChannelStage } from './stage';
import css from './style.css';
import type { ZarrImage } from './zarrimage';

/** What is opened: see `ChannelView`. */
export interface Source {
  title: string;
  address: string;
  /** The host where that is another than the page's; it is asked for nothing before the reader says so. */
  foreign: string | null;
  /** A Deep Zoom pyramid of labels, and what was measured of these. */
  masks: string | null;
  /** Whether the image may have labels of its own, where it has no `masks`. */
  labels: boolean;
  nuclei: string | null;
  pxPerUm: number | null;
}

const OPACITY = { fill: 0.5, outline: 1, off: 0 };

/** OME-Zarr images, one at a time: channels in colours that add up, in one z plane, with masks where the host has some. */
export class ChannelView extends ZoomView<ChannelState, ChannelStage> {
  protected readonly card = { element: textElement('div', '') };
  private readonly channels: ChannelPanel;
  private readonly plane = document.createElement('input');
  private readonly planeText = textElement('output', '', 'nn-range-text');
  private readonly masks: Choices<ChannelState['masks']>;
  private readonly masksField = document.createElement('fieldset');
  private readonly labels = document.createElement('select');
  private readonly choice = document.createElement('select');
  private readonly measurements: Measurements;
  private further: LabelImages | null = null;
  private sources: Source[] = [];
  private shown: Source | null = null;
  private image: ZarrImage | null = null;
  /** How the image is shown where the state does not say. */
  private usual: ChannelLook[] = [];
  private extents: Extent[] = [];
  private seenLook = '';
  /** The image's own labels that fit it, and why others are not shown. */
  private labelNames: string[] = [];
  private refused: string[] = [];

  constructor(
    model: Model,
    host: HTMLElement,
    signal: AbortSignal,
    private readonly codecs: (name: string) => Promise<string>,
  ) {
    super({ className: 'nn-channelview', css, state: CHANNEL_STATE, loading: 'Loading the image …' }, model, host, signal);
    this.measurements = new Measurements(() => {
      this.stage?.zoom.showPointed();
      this.showRemark();
    }, signal);
    this.channels = new ChannelPanel(
      (channels) => {
        this.change({ channels });
      },
      (at) => this.fitted(at),
    );
    this.masks = new Choices<ChannelState['masks']>(
      [
        { value: 'off', text: 'Off' },
        { value: 'fill', text: 'Filled' },
        { value: 'outline', text: 'Outlined' },
      ],
      (masks) => {
        this.change({ masks, opacity: null });
      },
    );
    this.labels.className = 'nn-control';
    this.labels.setAttribute('aria-label', 'Labels');
    this.labels.hidden = true;
    this.labels.addEventListener('change', () => {
      this.change({ labels: this.labels.value, roi: null });
    });
    this.choice.className = 'nn-control';
    this.choice.setAttribute('aria-label', 'Image');
    this.choice.addEventListener('change', () => {
      this.state.set({ panorama: this.choice.value, roi: null, view: null }, 'push');
      this.apply();
    });
    this.state.onChange(() => {
      this.apply();
    });
  }

  open(sources: Source[], note: string): void {
    const { choice, masksField, model, root } = this;
    const [first] = sources;
    if (!first) {
      this.none('There are no images of several channels in this build of the book.');
      return;
    }
    this.sources = sources;
    const bar = textElement('div', '', 'nn-toolbar');
    const body = textElement('div', '', 'nn-body');
    choice.append(...sources.map(({ title }) => new Option(title)));
    masksField.className = 'nn-fieldset nn-masks';
    masksField.append(textElement('legend', 'Masks', 'nn-label'), this.labels, this.masks.element);
    bar.append(sources.length > 1 ? choice : textElement('strong', first.title, 'nn-title'), this.planeField(), masksField, this.channels.button);
    root.prepend(bar, this.channels.element, body);
    const events = {
      ...this.stageEvents(),
      opened: (image: ZarrImage) => this.opened(image),
      labelled: (names: string[], refused: string[]) => {
        this.labelled(names, refused);
      },
      chosen: (roi: number) => {
        this.change({ roi, panorama: this.sources.length > 1 ? (this.shown?.title ?? null) : this.state.get('panorama') });
      },
      describe: (roi: number) => this.describe(roi),
    };
    const stage = new ChannelStage(body, events, this.codecs);
    this.further = new LabelImages(stage.zoom, model, this.signal);
    body.before(this.further.element);
    this.addStage(stage, textTrait(model, 'credit') ?? note);
    this.apply();
  }

  private show(source: Source): void {
    const { address, foreign, labels, masks, pxPerUm, title } = source;
    this.shown = source;
    this.image = null;
    this.seenLook = '';
    this.choice.value = title;
    this.masksField.hidden = masks === null;
    this.labels.hidden = true;
    this.labelNames = this.refused = [];
    this.measurements.of(source);
    this.further?.show(title, masks ?? address);
    const where = foreign ?? (address.startsWith('kernel:') ? 'the notebook' : 'this site');
    this.openOnRequest(foreign, (view) => void this.stage?.open({ address, where, title, masks, labels, pxPerUm }, view));
  }

  /** The image that the state names, or else the one shown. */
  private wanted(): Source | undefined {
    const name = this.state.get('panorama');
    return this.sources.find(({ title }) => title === name) ?? this.shown ?? this.sources[0];
  }

  private describe(roi: number): string {
    void this.measurements.load();
    const nucleus = this.measurements.nuclei?.get(roi);
    return nucleus ? nucleusText(nucleus) : '';
  }

  protected apply(): void {
    const { stage, state } = this;
    const source = this.wanted();
    if (source && source !== this.shown) this.show(source);
    const { image } = this;
    if (!image || !stage) return;
    const look = this.look(image);
    const key = JSON.stringify(look);
    if (key !== this.seenLook) {
      this.seenLook = key;
      void stage.show(look);
    }
    this.channels.show(look.channels, this.extents, image.integers);
    this.showPlane(image, look.z);
    const masks = state.get('masks');
    this.masks.show(masks);
    stage.showLabels(state.get('labels'));
    this.labels.value = this.labelNames.find((name) => name === state.get('labels')) ?? this.labelNames[0] ?? '';
    stage.setMasks(masks === 'off' ? null : masks, state.get('opacity') ?? OPACITY[masks]);
    stage.choose(this.chosen ?? 0);
    this.showRemark();
    this.followView();
  }

  protected step(): void {
    // Nuclei have no order here.
  }

  protected letGo(): void {
    if (this.state.get('roi') !== null) this.change({ roi: null });
  }

  protected save(): void {
    const { image, model, shown: source, stage } = this;
    if (!stage || !image || !source) return;
    const { title } = source;
    const { channels, z } = this.look(image);
    const shown = channels.filter(({ shown }) => shown).map(({ name, colour, range }) => `${name} ${colour} ${range.map((value) => Number(value.toPrecision(5))).join(' to ')}`);
    const lines = [this.facts.textContent, shown.join(', '), image.planes > 1 ? `z plane ${z + 1} of ${image.planes}` : '', textTrait(model, 'credit') ?? ''];
    void this.savePicture(stage.zoom.picture(PLAIN, stage.over, title, lines.filter(Boolean)), `${title.replace(/\W+/g, '_')}.png`);
  }

  protected showRemark(): void {
    const retry = () => {
      this.stage?.retry();
    };
    const { chosen, measurements } = this;
    const known = chosen === null ? '' : this.describe(chosen);
    const remarks = [
      chosen === null ? '' : `ROI ${chosen} is chosen${known === '' ? '' : `: ${known}`}.`,
      this.gaps ? 'Parts of the image could not be loaded.' : '',
      measurements.problem,
      ...this.refused,
      this.notice,
    ];
    this.showRemarks(remarks, this.gaps ? retry : null);
  }

  /** The chosen nucleus of the image that is shown. */
  private get chosen(): number | null {
    const { shown, sources, state } = this;
    const here = sources.length < 2 || state.get('panorama') === null || state.get('panorama') === shown?.title;
    return here && (shown?.masks || this.labelNames.length > 0) ? state.get('roi') : null;
  }

  private labelled(names: string[], refused: string[]): void {
    this.labelNames = names;
    this.refused = refused;
    this.masksField.hidden = names.length === 0;
    this.labels.hidden = names.length < 2;
    this.labels.replaceChildren(...names.map((name) => new Option(name)));
    this.apply();
  }

  /** Learns what the image is, and finds ranges of channels for which it says none. */
  private async opened(image: ZarrImage): Promise<Look> {
    const ranges = await Promise.all(
      image.channels.map(async ({ range }, at): Promise<[number, number]> => {
        if (range !== null) return range;
        return usualRange((await image.tile(0, 0, 0, at, image.firstPlane)).pixels);
      }),
    );
    this.image = image;
    this.usual = image.channels.map(({ name, colour, shown }, at) => ({ name, colour, shown, range: ranges[at] ?? [0, 1] }));
    this.extents = ranges.map(([low, high]) => [Math.min(0, low), high + (high - low) / 2]);
    const pxPerUm = this.shown?.pxPerUm ?? image.pxPerUm;
    const wide = pxPerUm === null ? '' : `, ${lengthText(image.width / pxPerUm)} wide`;
    const parts = [`${grouped(image.width)} × ${grouped(image.height)} px${wide}`];
    if (image.channels.length > 1) parts.push(`${image.channels.length} channels`);
    if (image.planes > 1) parts.push(`${image.planes} z planes`);
    this.facts.textContent = parts.join(' · ');
    if (image.channels.length > 1 && this.root.clientWidth >= 700) this.channels.open();
    this.apply();
    return this.look(image);
  }

  /** How the image is shown: as the state says, and else as the image does. */
  private look(image: ZarrImage): Look {
    const { state, usual } = this;
    const given = state.get('channels') ?? [];
    const channels = usual.map((channel, at) => ({ ...channel, ...given[at], name: channel.name }));
    const z = Math.min(image.planes - 1, Math.round(state.get('z') ?? image.firstPlane));
    return { channels, z };
  }

  private async fitted(at: number): Promise<[number, number]> {
    const z = this.image ? this.look(this.image).z : 0;
    const values = await this.stage?.overview(at, z);
    return usualRange(Float64Array.from(values ?? [0, 1]));
  }

  private planeField(): HTMLElement {
    const { plane, planeText } = this;
    const label = document.createElement('label');
    label.className = 'nn-plane';
    label.hidden = true;
    plane.type = 'range';
    plane.min = '0';
    plane.addEventListener('input', () => {
      this.change({ z: Number(plane.value) });
    });
    label.append(textElement('span', 'z', 'nn-label'), plane, planeText);
    return label;
  }

  private showPlane({ planes }: ZarrImage, z: number): void {
    const { plane, planeText } = this;
    if (plane.parentElement) plane.parentElement.hidden = planes === 1;
    plane.max = String(planes - 1);
    plane.value = String(z);
    planeText.textContent = `${z + 1} of ${planes}`;
    plane.setAttribute('aria-valuetext', planeText.textContent);
  }
}
