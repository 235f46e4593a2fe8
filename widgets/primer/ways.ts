import { panels, row, select } from './controls';
import { plane, type Live } from './live';
import { box, greys, labelled, mixed, outlines, Picture, shape, word } from './picture';
import type { Stage } from './view';

const ARROW_PX = 3;

/** Ways to separate nuclei that touch: what each works from, and the masks that come of it. */
export function ways(live: Live, { show, say }: Stage): void {
  const [names, methods] = [live.texts('names'), live.texts('ways')];
  let number = 0;
  let way = 3;
  const before = new Picture('Image', '');
  const middle = new Picture('', '');
  const after = new Picture('Masks', '');

  const update = () => {
    const [image, truth] = [live.pixels(`image${number}`), live.pixels(`true${number}`)];
    const labels = plane(live.pixels(`labels${number}`), way);
    const { width, height } = image;
    const grey = greys(image.values);
    before.show(grey, width, height);
    before.describe(`${names[number] ?? ''}, in grey.`);
    const [title, note] = drawStep(live, number, way, middle, grey);
    middle.setTitle(title);
    middle.setNote(note);
    middle.describe(`${title}: ${note}.`);
    after.show(mixed(grey, labelled(labels.values), 0.6), width, height);
    after.draw(shape('path', { d: outlines(truth.values, width, height) }, 'nn-truth'));
    after.setNote('colours: masks; blue lines: the truth');
    const [found, wanted] = [new Set(labels.values).size - 1, new Set(truth.values).size - 1];
    const right = live.numbers(`right${number}`)[way] ?? 0;
    const words = `${methods[way] ?? ''}: ${found} ${found === 1 ? 'mask' : 'masks'} for ${wanted} ${wanted === 1 ? 'nucleus' : 'nuclei'}, ${right} of them right.`;
    after.describe(words);
    say(`${words} ${live.texts('notes')[way] ?? ''}`);
  };
  const which = select('Way', methods.map((text, at) => ({ value: String(at), text })), (value) => {
    way = Number(value);
    update();
  });
  which.value = String(way);
  const nuclei = select('Nuclei', names.map((text, at) => ({ value: String(at), text })), (value) => {
    number = Number(value);
    update();
  });
  show(row(which.row, nuclei.row), panels(before.element, middle.element, after.element));
  update();
}

/** Draws what a way works from; returns its name, and what is seen. */
function drawStep(live: Live, number: number, way: number, picture: Picture, grey: Uint32Array<ArrayBuffer>): [string, string] {
  const pixels = (name: string) => live.pixels(`${name}${number}`);
  const { width, height } = pixels('image');
  picture.draw();
  const probability = () => {
    picture.show(greys(pixels('probability').values), width, height);
  };
  switch (way) {
    case 0:
      picture.show(greys(pixels('foreground').values, 1), width, height);
      return ['Foreground', 'white: brighter than the threshold'];
    case 1:
      picture.show(greys(pixels('distance').values), width, height);
      return ['Distance to the background', 'white: farthest from it'];
    case 2:
      picture.show(pixels('classes').values.reduce((colours, kind, at) => {
        colours[at] = kind === 0 ? word(0, 0, 0) : kind === 1 ? word(86, 180, 233) : word(230, 159, 0);
        return colours;
      }, new Uint32Array(width * height)), width, height);
      return ['Classes', 'blue: centre; orange: border. Drawn from the truth'];
    case 3:
      probability();
      picture.draw(shape('path', { d: arrows(live, number) }, 'nn-arrow'));
      return ['Flows of the book’s network', 'lines lead from a pixel to its centre; white: cell probability'];
    case 4: {
      picture.show(grey, width, height);
      const boxes = live.numbers(`boxes${number}`);
      picture.draw(...boxes.flatMap((left, at) => (at % 4 === 0 ? [box(left, boxes[at + 1] ?? 0, boxes[at + 2] ?? 0, boxes[at + 3] ?? 0)] : [])));
      return ['Boxes', 'those of the masks of the book’s network'];
    }
    default: {
      probability();
      const centres = live.numbers(`centres${number}`);
      picture.draw(...centres.flatMap((x, at) => (at % 2 === 0 ? [shape('path', { d: `M${x - 2} ${(centres[at + 1] ?? 0) + 0.5}h5M${x + 0.5} ${(centres[at + 1] ?? 0) - 2}v5` }, 'nn-found')] : [])));
      return ['Foreground, and centres', 'white: cell probability; crosses: centres of the book’s network'];
    }
  }
}

/** Short lines along the flow, where there is a nucleus. */
function arrows(live: Live, number: number): string {
  const flow = live.pixels(`flow${number}`);
  const probability = live.pixels(`probability${number}`).values;
  const { width, height } = flow;
  const [down, across] = [plane(flow, 0).values, plane(flow, 1).values];
  let path = '';
  for (let y = 1; y < height; y += ARROW_PX) {
    for (let x = 1; x < width; x += ARROW_PX) {
      const at = y * width + x;
      if ((probability[at] ?? 0) < 128) continue;
      path += `M${x + 0.5} ${y + 0.5}l${(((across[at] ?? 128) - 128) / 60).toFixed(2)} ${(((down[at] ?? 128) - 128) / 60).toFixed(2)}`;
    }
  }
  return path;
}
