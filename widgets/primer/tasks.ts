import { Choices } from '../shared/choices';
import { controlGroup, textElement } from '../shared/elements';
import { panels, row, select } from './controls';
import { components, parts } from './labels';
import type { Live } from './live';
import { box, greys, labelled, outlines, Picture, shape, word } from './picture';
import type { Stage } from './view';

const TASKS = {
  classification: 'Class',
  centres: 'Centres',
  boxes: 'Boxes',
  semantic: 'Semantic',
  instance: 'Instances',
} as const;
type Task = keyof typeof TASKS;

/** What a network can be asked about the same nuclei. */
export function tasks(live: Live, { show, say }: Stage): void {
  const names = live.texts('names');
  let number = 0;
  let task: Task = 'semantic';
  const before = new Picture('Image', '');
  const after = new Picture('Answer', '');
  const verdict = textElement('p', '', 'nn-verdict');
  after.element.querySelector('.nn-pixels')?.append(verdict);

  const update = () => {
    const [image, truth] = [live.pixels(`image${number}`), live.pixels(`true${number}`)];
    const { width, height } = image;
    const nuclei = parts(truth);
    const pieces = components(truth);
    const grey = greys(image.values);
    before.show(grey, width, height);
    before.describe(`${names[number] ?? ''}, in grey.`);
    const ask: Record<Task, () => { words: string; note: string }> = {
      classification: () => {
        after.show(grey.map((colour) => word((colour & 255) * 0.25, (colour & 255) * 0.25, (colour & 255) * 0.25)), width, height);
        after.draw();
        return { words: 'Classification: one word for the whole image. It says neither how many nuclei there are nor where.', note: '1 word' };
      },
      centres: () => {
        after.show(grey, width, height);
        after.draw(...nuclei.map(({ x, y }) => shape('path', { d: `M${x - 3} ${y}h6M${x} ${y - 3}v6` }, 'nn-line')));
        return { words: `Detection by centres: ${nuclei.length} of them. They can be counted, but have no size.`, note: `${2 * nuclei.length} numbers` };
      },
      boxes: () => {
        after.show(grey, width, height);
        after.draw(...nuclei.map(({ left, top, width: across, height: down }) => box(left, top, across, down)));
        return { words: `Detection by boxes: ${nuclei.length} of them, each with a length and a width, but without a shape.`, note: `${4 * nuclei.length} numbers` };
      },
      semantic: () => {
        after.show(labelled(truth.values.map((label) => Math.min(1, label))), width, height);
        after.draw();
        const right = pieces.count === nuclei.length ? 'Here that is right' : `But there ${nuclei.length === 1 ? 'is 1 nucleus' : `are ${nuclei.length} nuclei`}`;
        return { words: `Semantic segmentation: each pixel is nucleus or background. Counting connected pieces finds ${pieces.count}. ${right}.`, note: `${width * height} pixels of 2 kinds` };
      },
      instance: () => {
        after.show(labelled(truth.values), width, height);
        after.draw(shape('path', { d: outlines(truth.values, width, height) }, 'nn-thin'));
        const areas = nuclei.map(({ area }) => (area / live.number('px_per_um') ** 2).toFixed(0)).join(', ');
        return { words: `Instance segmentation: each nucleus has its own number, ${nuclei.length} in all, and so an area: ${areas} µm².`, note: `${width * height} pixels of ${nuclei.length + 1} kinds` };
      },
    };
    const { words, note } = ask[task]();
    verdict.textContent = task === 'classification' ? (live.texts('classes')[number] ?? '') : '';
    after.setNote(note);
    after.describe(words);
    say(words);
  };
  const which = new Choices<Task>(Object.entries(TASKS).map(([value, text]) => ({ value: value as Task, text })), (value) => {
    task = value;
    update();
  });
  const nuclei = select('Nuclei', names.map((text, at) => ({ value: String(at), text })), (value) => {
    number = Number(value);
    update();
  });
  which.show(task);
  show(row(controlGroup('Task', '', which.element), nuclei.row), panels(before.element, after.element));
  update();
}
