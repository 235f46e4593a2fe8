import { textButton, textElement } from '../shared/elements';
import { isRecord, numberOf, textOf } from '../shared/json';
import { onTrait, shareTrait, textTrait, type Model } from '../shared/model';
import { download } from '../shared/picture';
import type { Engine, EngineEvents } from './engine';
import { JobPanel } from './jobpanel';
import { KeptProblem, KernelEngine, type Job } from './kernel';
import { MethodPanel, parseMethods } from './methodpanel';
import type { Opened, Segmented, Settings } from './protocol';
import type { Source } from './source';
import { SegmentView } from './view';

/** What the view of a page learns from its site: a kernel has all of it itself. */
export const NO_SITE: Source = { parts: { worker: '', model: '', runtime: '', modelSha256: '', diamMean: 0 }, bytes: 0, examples: [] };

/** Sliders rest for so long before the kernel is asked: it answers for what is in view first. */
const REST_MS = 20;

/** Segments images of a kernel, by any of its methods, and has it train on corrected masks. */
export class KernelView extends SegmentView {
  protected override readonly where = 'in the kernel';
  protected override readonly restMs = REST_MS;
  private readonly images = document.createElement('select');
  private readonly jobs: JobPanel;
  private readonly methods: MethodPanel;
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
    for (const name of ['images', 'methods']) {
      onTrait(model, name, () => {
        this.offer();
      }, signal);
    }
  }

  override open(source: Source): void {
    super.open(source);
    this.title.after(this.images);
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
    return [this.jobs];
  }

  protected override saving(): { button: HTMLButtonElement; element: HTMLElement } {
    const button = textButton('Save', () => void this.keep(false), 'nn-button nn-save-button');
    button.title = 'Write the masks, and a table of the nuclei, beside the image';
    return { button, element: this.results };
  }

  /** Makes masks anew where the notebook has changed what they are made with. */
  private follow(): void {
    if (this.opened && JSON.stringify(this.wanted) !== this.asked) void this.segment();
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

  private async keep(replace: boolean): Promise<void> {
    const { results } = this;
    results.hidden = true;
    try {
      const kept = await this.kernel.do('keep', replace);
      const names = kept instanceof Blob ? [`${(this.opened?.name ?? 'image').replace(/\.\w+$/, '')}_cp_masks.tif`] : kept.names;
      if (kept instanceof Blob) download(kept, names[0] ?? '');
      this.notice = `Saved: ${names.join(', ')}.`;
      this.root.dataset.saved = names.join(' ');
    } catch (error) {
      this.notice = error instanceof Error ? error.message : 'The masks could not be saved.';
      this.root.dataset.saved = 'refused';
      if (error instanceof KeptProblem) {
        results.replaceChildren(textElement('span', 'Replace the masks that are there?', 'nn-label'), textButton('Replace', () => void this.keep(true)));
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
