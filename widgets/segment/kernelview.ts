import { disclosureButton, textButton, textElement } from '../shared/elements';
import { isRecord, numberOf, textOf } from '../shared/json';
import { onTrait, shareTrait, textTrait, type Model } from '../shared/model';
import { download } from '../shared/picture';
import type { Engine, EngineEvents } from './engine';
import { JobPanel } from './jobpanel';
import { KeptProblem, KernelEngine, type Job, type KeptKind } from './kernel';
import { MethodPanel, parseMethods } from './methodpanel';
import type { Choice, Opened, Segmented, Settings } from './protocol';
import type { Source } from './source';
import { SegmentView } from './view';

/** What the view of a page learns from its site: a kernel has all of it itself. */
export const NO_SITE: Source = { parts: { worker: '', model: '', runtime: '', webgpu: null, modelSha256: '', diamMean: 0 }, bytes: 0, cardBytes: 0, examples: [] };

const KEPT: Record<KeptKind, { end: string; text: string; title: string }> = {
  masks: { end: '_cp_masks.tif', text: 'Masks and table', title: 'A label image, and a row a nucleus, beside the image' },
  rois: { end: '_rois.zip', text: 'ImageJ ROIs', title: 'ROIs for the manager of ImageJ and Fiji, beside the image' },
  geojson: { end: '.geojson', text: 'QuPath (GeoJSON)', title: 'Detections with measurements, for QuPath, beside the image' },
};

/** Segments images of a kernel, by any of its methods, and has it train on corrected masks. */
export class KernelView extends SegmentView {
  /** A kernel answers for what is in view first, and gives up what is asked for no longer. */
  protected override readonly restMs = 0;
  private readonly images = document.createElement('select');
  private readonly jobs: JobPanel;
  private readonly methods: MethodPanel;
  private readonly greatest = document.createElement('input');
  private readonly greatestField = document.createElement('label');
  /** What the masks are made with, or are about to be. */
  private asked = '';

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super(model, host, signal);
    this.root.classList.add('nn-kernel');
    this.jobs = new JobPanel({
      train: (steps) => void this.work('train', steps),
      apply: (folder) => void this.work('apply', folder),
      stop: () => void this.work('stop'),
    });
    this.methods = new MethodPanel({
      method: (name) => {
        this.share({ method: name, settings: this.methods.usual(name) });
        void this.segment();
      },
      values: (values) => {
        this.share({ settings: values });
        this.rethreshold();
      },
    });
    this.greatest.type = 'checkbox';
    this.greatest.addEventListener('change', () => {
      this.reopen({});
    });
    this.greatestField.className = 'nn-setting';
    this.greatestField.title = 'Take the greatest value along all planes, as nnbook segment --project max does';
    this.greatestField.append(this.greatest, textElement('span', 'Greatest of all planes', 'nn-label'));
    this.images.className = 'nn-control nn-images';
    this.images.setAttribute('aria-label', 'Image');
    this.images.addEventListener('change', () => {
      void this.openFile(null, this.images.value);
    });
    for (const name of ['method', 'settings', 'diameter']) {
      onTrait(model, name, () => {
        // What the view itself has set is asked for by the time that this runs.
        queueMicrotask(() => {
          this.follow();
        });
      }, signal);
    }
    onTrait(model, 'image', () => {
      const image = textTrait(model, 'image');
      if (image !== null && image !== this.opened?.name) void this.openFile(null, image);
    }, signal);
    for (const name of ['channel', 'project']) {
      onTrait(model, name, () => {
        queueMicrotask(() => {
          this.followPlane();
        });
      }, signal);
    }
    for (const name of ['images', 'methods']) {
      onTrait(model, name, () => {
        this.offer();
      }, signal);
    }
  }

  override open(source: Source): void {
    super.open(source);
    this.title.after(this.images);
    this.plane.parentElement?.after(this.greatestField);
    this.settings.element.prepend(this.methods.element);
    this.offer();
    const image = textTrait(this.model, 'image');
    if (image !== null) void this.openFile(null, image);
  }

  protected override makeEngine(events: EngineEvents): Engine {
    const job = (job: Job) => {
      this.jobs.show(job);
    };
    return new KernelEngine(this.model, { ...events, job }, () => this.stage?.box ?? [0, 0, 0, 0]);
  }

  protected override get wanted(): Settings {
    const { model } = this;
    return { ...super.wanted, method: textTrait(model, 'method') ?? 'nnbook', values: valuesOf(model.get('settings')) };
  }

  protected override buildDrop(): void {
    const choose = this.chooser('Choose an image');
    choose.classList.add('nn-first');
    const words = 'TIFF, OME-TIFF, PNG or CZI. It goes to the kernel, which runs this notebook or page, and nowhere else.';
    this.drop.append(textElement('p', 'Drop an image here', 'nn-drop-title'), choose, textElement('p', words, 'nn-label'));
  }

  protected override show(opened: Opened, again: boolean): void {
    super.show(opened, again);
    if (!again) this.state.set({ scale: opened.pxPerUm }, 'settle');
    this.share({ image: opened.name });
    if (again && opened.plane) this.share({ ...opened.plane });
    this.greatestField.hidden = opened.planes < 2;
    this.greatest.checked = this.plane.disabled = opened.choice.greatest === true;
    this.offer();
  }

  protected override showSegmented(segmented: Segmented, round: number): void {
    super.showSegmented(segmented, round);
    this.root.dataset.method = this.wanted.method;
  }

  protected override apply(): void {
    super.apply();
    const { method = '', values = {} } = this.wanted;
    this.methods.show(method, values);
  }

  protected override segment(): Promise<void> {
    this.asked = JSON.stringify(this.wanted);
    this.apply();
    return super.segment();
  }

  protected override rethreshold(): void {
    this.asked = JSON.stringify(this.wanted);
    this.apply();
    super.rethreshold();
  }

  protected override moreTools(): { button: HTMLElement; element: HTMLElement }[] {
    const element = textElement('div', '', 'nn-results');
    element.hidden = true;
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'Save masks for other programs');
    for (const kind of ['rois', 'geojson'] as const) {
      const save = textButton(KEPT[kind].text, () => void this.keep(false, kind));
      save.title = KEPT[kind].title;
      element.append(save);
    }
    const button = disclosureButton('Save as', 'nn-save-as-button', (open) => {
      element.hidden = !open;
    }, 'M12 4v11M7 11l5 5 5-5M5 20h14');
    return [{ button, element }, this.jobs];
  }

  protected override reopen(more: Partial<Choice>): void {
    super.reopen({ greatest: this.greatest.checked, ...more });
  }

  protected override saving(): { button: HTMLButtonElement; element: HTMLElement } {
    const button = textButton('Save', () => void this.keep(false, 'masks'), 'nn-button nn-save-button');
    button.title = KEPT.masks.title;
    return { button, element: this.results };
  }

  /** Makes masks anew where the notebook has changed what they are made with. */
  private follow(): void {
    if (this.opened && JSON.stringify(this.wanted) !== this.asked) void this.segment();
  }

  /** Opens another plane of the image where the notebook has chosen one. */
  private followPlane(): void {
    const { model, opened } = this;
    const shown = opened?.plane;
    if (!shown || (shown.channel === textTrait(model, 'channel') && shown.project === textTrait(model, 'project'))) return;
    void this.openFile(null, opened.name);
  }

  private share(values: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(values)) shareTrait(this.model, name, value);
  }

  /** Shows what images and methods the kernel has. */
  private offer(): void {
    const { images, jobs, methods, model, opened, title } = this;
    const value: unknown = model.get('images');
    const listed = (Array.isArray(value) ? value : []).filter(isRecord);
    const names = listed.map((one) => textOf(one.name) ?? '');
    const labelled = listed.filter((one) => one.masks === true).length;
    images.replaceChildren(...listed.map((one, at) => new Option(`${names[at] ?? ''}${one.masks === true ? ' ✓' : ''}`, names[at])));
    images.hidden = listed.length < 2;
    images.value = opened?.name ?? '';
    title.hidden = !images.hidden && opened !== null && names.includes(opened.name);
    methods.offer(parseMethods(model.get('methods')));
    jobs.offer(labelled, textTrait(model, 'folder') ?? '');
    this.apply();
  }

  private get kernel(): KernelEngine {
    const { client } = this;
    if (!(client instanceof KernelEngine)) throw new Error('another engine');
    return client;
  }

  private async keep(replace: boolean, kind: KeptKind): Promise<void> {
    const { results } = this;
    results.hidden = true;
    try {
      const kept = await this.kernel.do('keep', replace, kind);
      const names = kept instanceof Blob ? [`${(this.opened?.name ?? 'image').replace(/\.\w+$/, '')}${KEPT[kind].end}`] : kept.names;
      if (kept instanceof Blob) download(kept, names[0] ?? '');
      this.notice = `Saved: ${names.join(', ')}.`;
      this.root.dataset.saved = names.join(' ');
    } catch (error) {
      this.notice = error instanceof Error ? error.message : 'The masks could not be saved.';
      this.root.dataset.saved = 'refused';
      if (error instanceof KeptProblem) {
        const asked = kind === 'masks' ? 'Replace the masks that are there?' : 'Replace the file that is there?';
        results.replaceChildren(textElement('span', asked, 'nn-label'), textButton('Replace', () => void this.keep(true, kind)));
        results.hidden = false;
      }
    }
    this.showRemark();
  }

  /** Has the kernel begin or end work beside the view. */
  private async work(...[what, given]: ['train', number] | ['apply', string] | ['stop']): Promise<void> {
    try {
      if (what === 'train') await this.kernel.do('train', given);
      else if (what === 'apply') await this.kernel.do('apply', given);
      else await this.kernel.do('stop');
    } catch (error) {
      const text = error instanceof Error ? error.message : 'The kernel could not do this.';
      this.jobs.show({ kind: what === 'apply' ? 'apply' : 'train', text, share: 0, state: 'failed' });
    }
  }
}

function valuesOf(value: unknown): Record<string, number> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).flatMap(([name, one]) => (numberOf(one) === null ? [] : [[name, numberOf(one) ?? 0]])));
}
