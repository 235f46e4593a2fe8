import { Choices } from '../shared/choices';
import { PLAIN } from '../shared/contrast';
import { textButton, textElement } from '../shared/elements';
import { numberTrait, textTrait, type Model } from '../shared/model';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { sameView } from '../shared/zoomstate';
import { ZoomView } from '../shared/zoomview';
import { LabelImages } from '../panorama/labelimages';
import { CHANNEL_STATE, type ChannelLook, type ChannelState } from './channelstate';
import { usualRange, type Look } from './composite';
import { ChannelPanel, type Extent } from './panel';
import { ChannelStage } from './stage';
import css from './style.css';
import type { ZarrImage } from './zarrimage';

/** What is opened: see `ChannelView`. */
export interface Source {
  address: string;
  /** The host where that is another than the page's; it is asked for nothing before the reader says so. */
  foreign: string | null;
  masks: string | null;
  codecs: (name: string) => Promise<string>;
}

const OPACITY = { fill: 0.5, outline: 1, off: 0 };

/** An OME-Zarr image: its channels in colours that add up, one z plane at a time, with masks where the host has some. */
export class ChannelView extends ZoomView<ChannelState, ChannelStage> {
  protected readonly card = { element: textElement('div', '') };
  private readonly title: string;
  private readonly channels: ChannelPanel;
  private readonly plane = document.createElement('input');
  private readonly planeText = textElement('output', '', 'nn-range-text');
  private readonly masks: Choices<ChannelState['masks']>;
  private image: ZarrImage | null = null;
  /** How the image is shown where the state does not say. */
  private usual: ChannelLook[] = [];
  private extents: Extent[] = [];
  private seenLook = '';

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-channelview', css, state: CHANNEL_STATE, loading: 'Loading the image …' }, model, host, signal);
    this.title = textTrait(model, 'title') ?? textTrait(model, 'panorama') ?? 'Image';
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
    this.state.onChange(() => {
      this.apply();
    });
  }

  open({ address, foreign, masks, codecs }: Source): void {
    const { root, model, title } = this;
    const bar = textElement('div', '', 'nn-toolbar');
    const body = textElement('div', '', 'nn-body');
    bar.append(textElement('strong', title, 'nn-title'), this.planeField());
    if (masks !== null) {
      const field = document.createElement('fieldset');
      field.className = 'nn-fieldset nn-masks';
      field.append(textElement('legend', 'Masks', 'nn-label'), this.masks.element);
      bar.append(field);
    }
    bar.append(this.channels.button);
    root.prepend(bar, this.channels.element, body);
    const where = foreign ?? (address.startsWith('kernel:') ? 'the notebook' : 'this site');
    const stage = new ChannelStage(body, { address, where, title, masks, codecs, pxPerUm: numberTrait(model, 'px_per_um') }, {
      ...this.stageEvents(),
      opened: (image) => this.opened(image),
      chosen: (roi) => {
        this.change({ roi, panorama: this.state.get('panorama') });
      },
    });
    const further = new LabelImages(stage.zoom, model, this.signal);
    further.show(title, masks ?? address);
    body.before(further.element);
    this.addStage(stage, textTrait(model, 'credit') ?? '');
    const start = () => {
      this.showMessage('loading', 'Loading the image …');
      this.seenView = this.state.get('view');
      void stage.open(this.seenView);
    };
    if (foreign === null) start();
    else this.showMessage('empty', `The image is on ${foreign}. Your browser asks that host for it once you open it.`, textButton(`Open from ${foreign}`, start));
  }

  protected apply(): void {
    const { image, stage, state } = this;
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
    stage.setMasks(masks === 'off' ? null : masks, state.get('opacity') ?? OPACITY[masks]);
    stage.choose(state.get('roi') ?? 0);
    const view = state.get('view');
    if (!stage.zoom.isOpen || sameView(view, this.seenView)) return;
    this.seenView = view;
    stage.zoom.goTo(view);
  }

  protected step(): void {
    // Nuclei have no order here.
  }

  protected letGo(): void {
    if (this.state.get('roi') !== null) this.change({ roi: null });
  }

  protected save(): void {
    const { image, model, stage, title } = this;
    if (!stage || !image) return;
    const { channels, z } = this.look(image);
    const shown = channels.filter(({ shown }) => shown).map(({ name, colour, range }) => `${name} ${colour} ${range.map((value) => Number(value.toPrecision(5))).join(' to ')}`);
    const lines = [this.facts.textContent, shown.join(', '), image.planes > 1 ? `z plane ${z + 1} of ${image.planes}` : '', textTrait(model, 'credit') ?? ''];
    void this.savePicture(stage.zoom.picture(PLAIN, stage.over, title, lines.filter(Boolean)), `${title.replace(/\W+/g, '_')}.png`);
  }

  protected showRemark(): void {
    const retry = () => {
      this.stage?.retry();
    };
    this.showRemarks([this.gaps ? 'Parts of the image could not be loaded.' : '', this.notice], this.gaps ? retry : null);
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
    const pxPerUm = numberTrait(this.model, 'px_per_um') ?? image.pxPerUm;
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
