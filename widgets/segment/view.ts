import plotCss from '../scatter/plot.css';
import { Choices } from '../shared/choices';
import { copyLink } from '../shared/copylink';
import { fetchText } from '../shared/files';
import { controlGroup, disclosureButton, textButton, textElement } from '../shared/elements';
import type { Model } from '../shared/model';
import { download } from '../shared/picture';
import { Problem } from '../shared/problem';
import { lengthText } from '../shared/scalebar';
import { nextTask } from '../shared/task';
import { grouped, nuclei as nucleiText, rounded } from '../shared/text';
import { ZoomView } from '../shared/zoomview';
import { hasGraphicsCard } from './adapter';
import { Client } from './client';
import { Corrections, TOOL_KEYS } from './correct';
import { EngineProblem, type Engine, type EngineEvents } from './engine';
import type { Nucleus } from './masks';
import { tableOf } from './outputs';
import type { Choice, Edit, FileKind, Opened, Segmented, Settings } from './protocol';
import { offline } from './offline';
import { SEGMENT_STATE, type SegmentState } from './segmentstate';
import { SettingsPanel } from './settingspanel';
import type { Example, Source } from './source';
import { NucleusScatter } from './scatter';
import { SegmentStage } from './stage';
import css from './style.css';

const OPACITY = { fill: 0.5, outline: 1 };

const NO_NUCLEI: Nucleus[] = [];

const FILES: { kind: FileKind; text: string; name: string; title: string }[] = [
  { kind: 'tiff', text: 'Label TIFF', name: '_labels.tif', title: 'A label image, as Fiji, napari and Cellpose read it' },
  { kind: 'png', text: 'Label PNG', name: '_labels.png', title: 'A label image of 16 bits' },
  { kind: 'csv', text: 'Table (CSV)', name: '_nuclei.csv', title: 'A row a nucleus: place, area, brightness, confidence' },
  { kind: 'geojson', text: 'QuPath (GeoJSON)', name: '.geojson', title: 'Detections with measurements, for QuPath' },
  { kind: 'rois', text: 'ImageJ ROIs', name: '_rois.zip', title: 'ROIs for the manager of ImageJ and Fiji' },
];

/** Segments an image of the reader's own in the browser: nothing of it leaves the machine. */
export class SegmentView extends ZoomView<SegmentState, SegmentStage> {
  protected readonly card = { element: textElement('div', '') };
  private readonly picker = document.createElement('input');
  protected readonly drop = textElement('div', '', 'nn-drop');
  protected readonly bar = textElement('div', '', 'nn-toolbar');
  protected readonly title = textElement('strong', '', 'nn-title');
  private readonly channel = document.createElement('select');
  protected readonly plane = document.createElement('input');
  private readonly body = textElement('div', '', 'nn-body');
  private readonly working = textElement('div', '', 'nn-working');
  private readonly meter = document.createElement('progress');
  private readonly doing = textElement('span', '', 'nn-doing');
  protected readonly settings: SettingsPanel;
  private readonly masks: Choices<SegmentState['masks']>;
  protected readonly results = textElement('div', '', 'nn-results');
  protected readonly client: Engine;
  /** Sliders rest for so long before masks are made anew. */
  protected readonly restMs: number = 120;
  private corrections: Corrections | null = null;
  private scatter: NucleusScatter | null = null;
  private source: Source | null = null;
  private file: { blob: Blob | null; name: string } | null = null;
  protected opened: Opened | null = null;
  private segmented: Segmented | null = null;
  private byRoi = new Map<number, Nucleus>();
  private round = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private said = '';

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-segment', css: plotCss + css, state: SEGMENT_STATE, loading: 'Loading …' }, model, host, signal);
    this.client = this.makeEngine({
      progress: ({ what, share }) => {
        this.showProgress(what, share);
      },
      early: (version, nuclei) => {
        this.stage?.showMasks(version);
        this.root.dataset.masks = 'early';
        this.doing.textContent = `Segmenting: ${grouped(nuclei)} nuclei so far`;
      },
      remark: (text) => {
        const { opened } = this;
        if (opened) this.opened = { ...opened, remark: [opened.remark, text].filter(Boolean).join(' ') };
        this.showRemark();
      },
      died: () => {
        this.endWork();
      },
    });
    this.settings = new SettingsPanel({
      diameter: (diameter) => {
        this.change({ diameter });
        void this.segment();
      },
      thresholds: (thresholds) => {
        this.change(thresholds);
        this.rethreshold();
      },
      scale: (scale) => {
        this.change({ scale });
      },
    });
    this.masks = new Choices<SegmentState['masks']>(
      [
        { value: 'off', text: 'Off' },
        { value: 'fill', text: 'Filled' },
        { value: 'outline', text: 'Outlined' },
      ],
      (masks) => {
        this.change({ masks });
      },
    );
    this.state.onChange(() => {
      this.apply();
    });
    this.takeDrops();
  }

  /** Shows where to drop an image; nothing is loaded before there is one. */
  open(source: Source): void {
    const { root } = this;
    this.source = source;
    this.buildBar();
    this.buildDrop(source);
    this.buildWorking();
    root.prepend(this.bar, this.settings.element, this.working, this.drop, this.body);
    this.settings.element.hidden = this.working.hidden = this.body.hidden = this.bar.hidden = true;
    this.endWork();
    this.showReady();
    root.dataset.state = 'waiting';
    const wanted = source.examples.find(({ name }) => name === this.state.get('example'));
    if (wanted) void this.openExample(wanted);
  }

  protected override themeChanged(): void {
    this.scatter?.refresh();
  }

  override destroy(): void {
    clearTimeout(this.timer);
    this.client.destroy();
    super.destroy();
  }

  /** Opens a file of the reader; without its contents, one that the engine knows by its name. */
  async openFile(blob: Blob | null, name: string, choice: Choice | null = null): Promise<void> {
    const round = ++this.round;
    const again = choice !== null;
    this.said = '';
    this.begin('Reading the image');
    try {
      await this.startWorker();
      const opened = await this.client.call('open', blob, name, choice);
      if (round !== this.round) return;
      this.file = { blob, name };
      if (!this.stage) {
        this.showBody(true);
        this.buildStage();
        await nextTask();
        if (round !== this.round) {
          this.showBody(this.opened !== null);
          return;
        }
      }
      this.show(opened, again);
      await this.segment();
    } catch (error) {
      if (round === this.round) this.refuse(error);
    }
  }

  /** What computes masks: here a worker. */
  protected makeEngine(events: EngineEvents): Engine {
    return new Client(events);
  }

  private async startWorker(): Promise<void> {
    const { client, source } = this;
    if (!source || !(client instanceof Client) || client.isStarted) return;
    const { worker } = source.parts;
    client.start(typeof worker === 'string' ? await fetchText(worker, 'What segments images', this.signal) : await worker.text());
  }

  private async openExample(example: Example): Promise<void> {
    const round = ++this.round;
    this.begin(`Loading ${example.title}`);
    try {
      const response = await fetch(example.address);
      if (!response.ok) throw new Problem(`${example.title} could not be loaded (status ${response.status}).`);
      const blob = await response.blob();
      if (round !== this.round) return;
      this.state.set({ example: example.name, scale: example.pxPerUm }, 'settle');
      await this.openFile(blob, `${example.name}.png`);
    } catch (error) {
      if (round === this.round) this.refuse(error instanceof Problem ? error : new Problem(`${example.title} could not be loaded. Check the connection, then try again.`));
    }
  }

  /** Shows where an image is shown, or else where one is asked for. */
  private showBody(shown: boolean): void {
    this.drop.hidden = shown;
    this.body.hidden = !shown;
  }

  protected show(opened: Opened, again: boolean): void {
    const { channel, plane, root, settings } = this;
    this.opened = opened;
    this.segmented = null;
    this.byRoi.clear();
    this.showBody(true);
    settings.element.hidden = this.bar.hidden = false;
    this.title.textContent = opened.name;
    channel.replaceChildren(...opened.channels.map((name, at) => new Option(name, String(at))));
    channel.value = String(opened.choice.channel);
    channel.hidden = opened.channels.length < 2;
    plane.max = String(opened.planes);
    plane.value = String(opened.choice.z + 1);
    if (plane.parentElement) plane.parentElement.hidden = opened.planes < 2;
    if (!again) this.change({ roi: null, view: null });
    if (opened.pxPerUm !== null && this.state.get('scale') === null) this.state.set({ scale: opened.pxPerUm }, 'settle');
    root.dataset.masks = 'none';
    this.scatter?.drop();
    this.seenView = null;
    this.stage?.open(opened);
    this.apply();
  }

  private buildStage(): void {
    const stage = new SegmentStage(this.body, this.client, {
      ...this.stageEvents(),
      chosen: (roi) => {
        this.choose(roi);
      },
      pointed: (roi) => this.scatter?.point(roi),
      point: (place) => this.corrections?.point(place) ?? false,
      drawn: () => this.corrections?.redraw(),
      keys: {
        ...Object.fromEntries(['Delete', 'Backspace'].map((key) => [key, () => { this.remove(); }])),
        ...Object.fromEntries(TOOL_KEYS.map((key) => [key, () => { this.corrections?.keys[key]?.(); }])),
      },
      describe: (roi) => this.factsOf(roi),
    });
    this.corrections = new Corrections(
      stage.zoom,
      {
        edit: (edit) => void this.edit(edit),
        undo: () => void this.edit('undo'),
        redo: () => void this.edit('redo'),
        labelAt: (place) => stage.labelAt(place),
        say: (text) => {
          this.notice = text;
          this.showRemark();
        },
      },
      this.signal,
    );
    const masks = controlGroup('Masks', 'nn-masks', this.masks.element);
    stage.zoom.bar.append(masks);
    const scatter = this.buildScatter(stage);
    stage.zoom.addTools([this.panel, this.corrections, scatter, this.saving(), ...this.moreTools()]);
    this.body.append(scatter.element);
    this.addStage(stage, '');
    stage.zoom.element.append(this.message);
  }

  private buildScatter(stage: SegmentStage): NucleusScatter {
    this.scatter = new NucleusScatter(
      this.root,
      {
        opened: (open) => {
          this.body.classList.toggle('nn-beside', open);
          this.apply();
        },
        pointed: (roi) => {
          stage.point(roi);
        },
        choose: (roi) => {
          this.goTo(roi);
        },
        selected: (rois) => {
          stage.select(rois);
        },
        save: (nuclei) => {
          const name = this.opened?.name ?? 'image';
          download(new Blob([tableOf({ name, nuclei, pxPerUm: this.state.get('scale') })], { type: 'text/csv' }), `${stemOf(name)}_nuclei_selected.csv`);
        },
        describe: (roi) => this.factsOf(roi),
      },
      this.signal,
    );
    return this.scatter;
  }

  /** Chooses a nucleus, and brings it into view where it is not. */
  private goTo(roi: number): void {
    const nucleus = this.byRoi.get(roi);
    const { stage } = this;
    if (!nucleus || !stage) return;
    const [left, top, width, height] = stage.box;
    const inView = nucleus.x >= left && nucleus.y >= top && nucleus.x <= left + width && nucleus.y <= top + height;
    this.change(inView ? { roi } : { roi, view: [nucleus.x, nucleus.y, width] });
  }

  private buildBar(): void {
    const { bar, channel, picker, plane, title } = this;
    picker.type = 'file';
    picker.accept = '.tif,.tiff,.png,.jpg,.jpeg,.webp,image/*';
    picker.className = 'nn-hidden';
    picker.tabIndex = -1;
    picker.setAttribute('aria-hidden', 'true');
    picker.addEventListener('change', () => {
      const [file] = picker.files ?? [];
      picker.value = '';
      if (file) this.take(file);
    });
    channel.className = 'nn-control';
    channel.setAttribute('aria-label', 'Channel');
    plane.type = 'number';
    plane.min = '1';
    plane.className = 'nn-control';
    const choose = () => {
      this.reopen({});
    };
    channel.addEventListener('change', choose);
    plane.addEventListener('change', choose);
    const planeField = document.createElement('label');
    planeField.className = 'nn-setting';
    planeField.append(textElement('span', 'Plane', 'nn-label'), plane);
    bar.append(title, channel, planeField, this.chooser('Another image'), picker);
  }

  /** Opens the file again, at the channel and the plane that are chosen. */
  protected reopen(more: Partial<Choice>): void {
    const { channel, file, opened, plane } = this;
    if (!file || !opened) return;
    const z = Math.min(opened.planes, Math.max(1, Math.round(Number(plane.value)))) - 1;
    void this.openFile(file.blob, file.name, { channel: Number(channel.value), z, ...more });
  }

  protected chooser(text: string): HTMLButtonElement {
    return textButton(text, () => {
      this.picker.click();
    });
  }

  protected buildDrop({ bytes, cardBytes, examples, parts }: Source): void {
    const { drop } = this;
    const words = textElement('p', 'Drop an image here', 'nn-drop-title');
    const kinds = textElement('p', 'TIFF or OME-TIFF of 8 to 32 bits, PNG or JPEG, up to a whole panorama. It stays on this machine.', 'nn-label');
    const choose = this.chooser('Choose an image');
    choose.classList.add('nn-first');
    drop.append(words, choose, kinds);
    if (examples.length > 0) {
      const list = textElement('div', '', 'nn-examples');
      list.setAttribute('role', 'group');
      list.setAttribute('aria-label', 'Images of the book');
      for (const example of examples) list.append(this.exampleButton(example));
      drop.append(textElement('p', 'Or try one of the book’s:', 'nn-label'), list);
    }
    if (bytes > 0) {
      const more = cardBytes > 0 ? `, and ${(cardBytes / 1e6).toFixed(0)} MB for a graphics card where there is one` : '';
      drop.append(textElement('p', `The first image has the model loaded, ${(bytes / 1e6).toFixed(0)} MB${more}; the browser keeps it.`, 'nn-label'));
    }
    const keeping = offline(parts, bytes);
    if (keeping) drop.append(keeping);
  }

  private exampleButton(example: Example): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'nn-example';
    const picture = document.createElement('img');
    picture.src = example.thumbnail;
    picture.alt = '';
    picture.loading = 'lazy';
    button.append(picture, textElement('span', example.title));
    button.addEventListener('click', () => {
      void this.openExample(example);
    });
    return button;
  }

  private buildWorking(): void {
    const { meter, doing, working } = this;
    meter.max = 1;
    meter.setAttribute('aria-label', 'Progress');
    const cancel = textButton('Cancel', () => {
      this.round++;
      void this.client.call('cancel').catch(() => undefined);
      this.endWork();
      this.notice = 'Canceled.';
      this.showRemark();
    });
    doing.setAttribute('role', 'status');
    cancel.classList.add('nn-cancel');
    working.append(doing, meter, cancel);
  }

  /** Takes files that are dropped anywhere on the view. */
  private takeDrops(): void {
    const { root } = this;
    let depth = 0;
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files') !== true) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
    };
    root.addEventListener('dragenter', (event) => {
      over(event);
      depth++;
      root.classList.add('nn-dropping');
    });
    root.addEventListener('dragleave', () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) root.classList.remove('nn-dropping');
    });
    root.addEventListener('dragover', over);
    root.addEventListener('drop', (event) => {
      depth = 0;
      root.classList.remove('nn-dropping');
      const [file] = event.dataTransfer?.files ?? [];
      if (!file) return;
      event.preventDefault();
      this.take(file);
    });
  }

  private take(file: File): void {
    this.state.set({ example: null, scale: null }, 'settle');
    void this.openFile(file, file.name);
  }

  /** Tools of one kind of engine alone. */
  protected moreTools(): { button: HTMLElement; element: HTMLElement }[] {
    return [];
  }

  protected saving(): { button: HTMLButtonElement; element: HTMLElement } {
    const { results } = this;
    const button = disclosureButton('Save', 'nn-save-button', (open) => {
      results.hidden = !open;
    }, 'M12 4v11M7 11l5 5 5-5M5 20h14');
    const copied = textElement('p', '', 'nn-copied');
    copied.setAttribute('role', 'status');
    results.hidden = true;
    results.setAttribute('role', 'group');
    results.setAttribute('aria-label', 'Save masks and measurements');
    for (const { kind, text, name, title } of FILES) {
      const save = textButton(text, () => void this.saveFile(kind, name));
      save.title = title;
      results.append(save);
    }
    const link = textButton('Copy link', () => {
      void copyLink(this.link(), copied, 'Link to these settings');
    });
    link.title = 'An address of this page with diameter, thresholds and scale; the image is not in it';
    results.append(link, copied);
    return { button, element: results };
  }

  private async saveFile(kind: FileKind, name: string): Promise<void> {
    const stem = stemOf(this.opened?.name ?? 'image');
    try {
      download(await this.client.call('save', kind, this.state.get('scale')), `${stem}${name}`);
      this.notice = `${stem}${name} was saved.`;
    } catch (error) {
      this.notice = error instanceof Error ? error.message : 'The file could not be saved.';
    }
    this.showRemark();
  }

  protected get wanted(): Settings {
    const { state } = this;
    return { diameter: state.get('diameter'), flow: state.get('flow'), cellprob: state.get('cellprob') };
  }

  protected async segment(): Promise<void> {
    const { client, source, stage } = this;
    if (!source || !stage || !this.opened) return;
    const round = ++this.round;
    this.begin('Segmenting');
    try {
      const { parts } = source;
      const usable = parts.webgpu && !(await hasGraphicsCard()) ? { ...parts, webgpu: null } : parts;
      if (round !== this.round) return;
      this.showSegmented(await client.call('segment', usable, this.wanted, stage.middle), round);
    } catch (error) {
      if (round === this.round) this.refuse(error);
    }
  }

  /** Makes masks anew with other thresholds, of the network's output that the worker keeps. */
  protected rethreshold(): void {
    clearTimeout(this.timer);
    if (!this.segmented) return;
    this.timer = setTimeout(() => {
      const round = ++this.round;
      this.client.call('rethreshold', this.wanted).then(
        (segmented) => {
          this.showSegmented(segmented, round);
        },
        (error: unknown) => {
          if (round === this.round) this.refuse(error);
        },
      );
    }, this.restMs);
  }

  /** Chooses a nucleus, or does to it what the tool in hand does. */
  private choose(roi: number): void {
    const tool = this.corrections?.tool;
    const before = this.state.get('roi');
    if (tool === 'delete' && roi !== 0) void this.edit({ kind: 'delete', roi });
    else if (tool === 'merge' && roi !== 0 && before !== null && before !== roi && this.byRoi.has(before)) void this.edit({ kind: 'merge', rois: [before, roi] });
    else this.change({ roi: roi === 0 ? null : roi });
  }

  /** Deletes the nucleus that is chosen. */
  private remove(): void {
    const roi = this.state.get('roi');
    if (roi !== null && this.byRoi.has(roi)) void this.edit({ kind: 'delete', roi });
  }

  /** Corrects masks by hand, takes the last correction back, or does it again. */
  private async edit(edit: Edit | 'undo' | 'redo'): Promise<void> {
    if (!this.segmented) return;
    const round = ++this.round;
    this.notice = '';
    try {
      const by = typeof edit === 'string' ? null : edit;
      const made = await (by === null ? this.client.call(edit as 'undo' | 'redo') : this.client.call('edit', by));
      const { roi } = by === null || by.kind === 'merge' ? { roi: null } : by;
      if (by?.kind === 'merge') this.state.set({ roi: Math.min(...by.rois) }, 'settle');
      else if (by?.kind === 'draw') this.state.set({ roi: Math.max(...made.nuclei.map((one) => one.roi)) }, 'settle');
      else if (roi !== null) this.state.set({ roi: made.nuclei.some((one) => one.roi === roi) ? roi : null }, 'settle');
      this.showSegmented(made, round);
    } catch (error) {
      if (round === this.round) this.refuse(error);
    }
  }

  protected showSegmented(segmented: Segmented, round: number): void {
    if (round !== this.round) return;
    this.segmented = segmented;
    this.byRoi = new Map(segmented.nuclei.map((nucleus) => [nucleus.roi, nucleus]));
    this.stage?.showMasks(segmented.version);
    this.endWork();
    this.root.dataset.masks = 'done';
    this.root.dataset.nuclei = String(segmented.nuclei.length);
    this.root.dataset.seconds = segmented.seconds.toFixed(2);
    this.root.dataset.edits = String(segmented.edits);
    this.corrections?.showCount(segmented.edits, segmented.undone);
    this.said = segmented.nuclei.length === 0 ? 'No nucleus was found: give their diameter in px, or lower the cell probability threshold.' : '';
    this.apply();
  }

  protected apply(): void {
    const { segmented, stage, state } = this;
    if (!stage || !this.opened) return;
    const masks = state.get('masks');
    const scale = state.get('scale');
    this.settings.show(this.wanted, segmented?.diameter ?? null, scale);
    this.masks.show(masks);
    stage.setMasks(masks === 'off' ? null : masks, masks === 'off' ? 0 : OPACITY[masks]);
    stage.setScale(scale);
    const roi = state.get('roi');
    const chosen = roi !== null && this.byRoi.has(roi) ? roi : 0;
    stage.choose(chosen);
    this.scatter?.show(segmented?.nuclei ?? NO_NUCLEI, scale);
    this.scatter?.choose(chosen);
    this.showContrast();
    this.showFacts();
    this.showRemark();
    this.followView();
  }

  protected step(step: 1 | -1): void {
    const rois = [...this.byRoi.keys()];
    if (rois.length === 0) return;
    const at = rois.indexOf(this.state.get('roi') ?? 0);
    const next = rois[at < 0 ? (step > 0 ? 0 : rois.length - 1) : (at + step + rois.length) % rois.length] ?? 0;
    const nucleus = this.byRoi.get(next);
    if (!nucleus) return;
    const view = this.state.get('view');
    const width = view?.[2] ?? 8 * Math.max(nucleus.width, nucleus.height);
    this.change({ roi: next, view: [nucleus.left + nucleus.width / 2, nucleus.top + nucleus.height / 2, width] });
    this.stage?.zoom.say(`ROI ${next} is chosen: ${this.factsOf(next)}.`);
  }

  protected letGo(): void {
    this.change({ roi: null });
  }

  protected save(): void {
    const { opened, stage } = this;
    if (!opened || !stage) return;
    const lines = [this.facts.textContent, this.summary];
    void this.savePicture(stage.zoom.picture(this.contrast(), [stage.canvas], opened.name, lines), `${opened.name.replace(/\W+/g, '_')}.png`);
  }

  protected showRemark(): void {
    const roi = this.state.get('roi');
    const chosen = roi !== null && this.byRoi.has(roi) ? `ROI ${roi} is chosen: ${this.factsOf(roi)}.` : '';
    this.showRemarks([chosen, this.said, this.opened?.remark ?? '', this.notice], null);
  }

  private factsOf(roi: number): string {
    const nucleus = this.byRoi.get(roi);
    if (!nucleus) return '';
    const scale = this.state.get('scale');
    const area = scale === null ? `${grouped(nucleus.area)} px` : `${rounded(nucleus.area / scale ** 2)} µm²`;
    const sure = nucleus.confidence === null ? '' : ` · confidence ${nucleus.confidence.toFixed(2)}`;
    return `${area} · mean ${rounded(nucleus.mean)} ± ${rounded(nucleus.sd)}${sure}`;
  }

  private showFacts(): void {
    const { opened } = this;
    if (!opened) return;
    const scale = this.state.get('scale');
    const wide = scale === null ? '' : `, ${lengthText(opened.width / scale)} wide`;
    const parts = [`${grouped(opened.width)} × ${grouped(opened.height)} px${wide}`, opened.kind];
    this.facts.textContent = parts.join(' · ');
  }

  private begin(what: string): void {
    this.notice = this.said = '';
    this.working.hidden = false;
    this.working.classList.add('nn-busy');
    this.root.dataset.work = 'working';
    this.showProgress(what, 0);
    this.showRemark();
  }

  private showProgress(what: string, share: number): void {
    if (this.root.dataset.work !== 'working') return;
    if (share === 0) this.meter.removeAttribute('value');
    else this.meter.value = share;
    if (share === 0 || !this.doing.textContent.startsWith(what)) this.doing.textContent = `${what} …`;
  }

  private endWork(): void {
    this.root.dataset.work = 'idle';
    this.working.classList.remove('nn-busy');
    this.doing.textContent = this.summary;
  }

  /** What was found, in a line. */
  private get summary(): string {
    const { segmented } = this;
    if (!segmented) return '';
    const { device, diameter, edits, nuclei, seconds } = segmented;
    const parts = [nucleiText(nuclei.length)];
    if (diameter > 0) parts.push(`diameter ${diameter.toFixed(1)} px`);
    parts.push(`${seconds.toFixed(1)} s ${device}`);
    if (edits > 0) parts.push(edits === 1 ? '1 correction' : `${edits} corrections`);
    return parts.join(' · ');
  }

  /** Says in one line what is wrong; what was there before stays. */
  private refuse(error: unknown): void {
    this.endWork();
    if (error instanceof EngineProblem && error.canceled) return;
    const text = error instanceof EngineProblem || error instanceof Problem ? error.message : 'This browser could not do this.';
    this.said = text;
    this.root.dataset.work = 'refused';
    if (this.opened) this.showRemark();
    else {
      this.drop.querySelector('.nn-refused')?.remove();
      const line = textElement('p', text, 'nn-refused');
      line.setAttribute('role', 'alert');
      this.drop.prepend(line);
    }
  }
}

/** A file's name without its ending. */
function stemOf(name: string): string {
  return name.replace(/(\.ome)?\.\w+$/i, '');
}
