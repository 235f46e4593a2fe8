import { disclosureButton, textButton, textElement } from '../shared/elements';
import type { Job } from './kernel';

/** Has the kernel train a model, and segment a folder; both go on beside what is done in the view. */
export class JobPanel {
  readonly element = textElement('div', '', 'nn-jobs');
  readonly button = disclosureButton('Train and apply', 'nn-jobs-button', (open) => {
    this.element.hidden = !open;
  }, 'M4 7h9M4 12h6M4 17h9M17 8l4 4-4 4');
  private readonly steps = document.createElement('input');
  private readonly folder = document.createElement('input');
  private readonly meter = document.createElement('progress');
  private readonly said = textElement('span', '', 'nn-job-said');
  private readonly count = textElement('span', '', 'nn-label');
  private readonly begin: HTMLButtonElement[];
  private readonly stop: HTMLButtonElement;

  constructor(events: { train(steps: number): void; apply(folder: string): void; stop(): void }) {
    const { count, element, folder, meter, said, steps } = this;
    element.hidden = true;
    element.setAttribute('role', 'group');
    element.setAttribute('aria-label', 'Train a model, and apply a method to a folder');
    steps.type = 'number';
    steps.min = '1';
    steps.max = '100000';
    steps.value = '300';
    folder.type = 'text';
    for (const input of [steps, folder]) input.className = 'nn-control';
    folder.classList.add('nn-folder');
    const train = textButton('Train', () => {
      if (steps.checkValidity()) events.train(steps.valueAsNumber);
      else steps.reportValidity();
    });
    train.title = 'Train this book’s model on with the masks that are saved';
    const apply = textButton('Apply', () => {
      events.apply(folder.value.trim());
    });
    apply.title = 'Segment all images of this folder by the method and settings above; masks go into its folder “masks”';
    this.begin = [train, apply];
    this.stop = textButton('Stop', () => {
      events.stop();
    });
    meter.max = 1;
    meter.setAttribute('aria-label', 'Progress of training or segmenting');
    said.setAttribute('role', 'status');
    const progress = textElement('div', '', 'nn-job');
    progress.append(meter, said, this.stop);
    element.append(row('Steps of training', steps, train, count), row('Folder', folder, apply), progress);
    this.show(null);
  }

  /** Says on how many images with masks a model would be trained. */
  offer(labelled: number, folder: string): void {
    this.count.textContent = labelled === 1 ? 'on 1 image with saved masks' : `on ${labelled} images with saved masks`;
    if (this.folder.value === '') this.folder.value = folder;
  }

  show(job: Job | null): void {
    const { begin, element, meter, said, stop } = this;
    const running = job?.state === 'running';
    for (const button of begin) button.disabled = running;
    stop.hidden = meter.hidden = !running;
    if (running && job.share > 0) meter.value = job.share;
    else meter.removeAttribute('value');
    said.textContent = job?.text ?? '';
    said.classList.toggle('nn-refused', job?.state === 'failed');
    element.dataset.job = job?.state ?? 'none';
  }
}

function row(name: string, input: HTMLElement, ...others: HTMLElement[]): HTMLElement {
  const element = textElement('div', '', 'nn-setting');
  const label = document.createElement('label');
  label.className = 'nn-setting';
  label.append(textElement('span', name, 'nn-label'), input);
  element.append(label, ...others);
  return element;
}
