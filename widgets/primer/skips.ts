import { textElement } from '../shared/elements';
import { checkbox, row, select } from './controls';
import { plane, type Live } from './live';
import { greys, labelled, mixed, outlines, Picture, shape } from './picture';
import type { Stage } from './view';

const LEVELS = 4;

/** The feature maps of the book's own network from level to level, with and without its skip connections. */
export function skips(live: Live, { show, say }: Stage): void {
  const names = live.texts('names');
  let number = 0;
  let state = 2 ** (LEVELS - 1) - 1;
  const levels = Array.from({ length: LEVELS }, (_, at) => at + 1);
  const down = levels.map((level) => new Picture(level === 1 ? 'Level 1, encoder' : `Level ${level}`, ''));
  const up = levels.map((level) => new Picture(level === 1 ? 'Level 1, decoder' : `Level ${level}`, ''));
  const before = new Picture('Image', '');
  const result = new Picture('Cell probability and masks', '');
  result.setNote('white: a nucleus for certain; blue: the truth; colours: masks');

  const switches = levels.slice(0, -1).map((level) =>
    checkbox(`Skip ${level}`, true, (checked) => {
      const bit = 2 ** (level - 1);
      state = checked ? state | bit : state & ~bit;
      update();
    }),
  );
  const update = () => {
    const [image, truth] = [live.pixels(`image${number}`), live.pixels(`true${number}`)];
    before.show(greys(image.values), image.width, image.height);
    before.describe(`${names[number] ?? ''}, in grey.`);
    levels.forEach((level, at) => {
      const [encoder, decoder] = [live.pixels(`encoder${number}.${level}`), plane(live.pixels(`decoder${number}.${level}`), state)];
      down[at]?.show(greys(encoder.values), encoder.width, encoder.height);
      down[at]?.describe(`A feature map of the encoder at level ${level}, ${encoder.width} by ${encoder.height} numbers.`);
      down[at]?.setNote(`${encoder.width} × ${encoder.height}`);
      up[at]?.show(greys(decoder.values), decoder.width, decoder.height);
      up[at]?.describe(`A feature map of the decoder at level ${level}, ${decoder.width} by ${decoder.height} numbers.`);
      up[at]?.setNote(`${decoder.width} × ${decoder.height}`);
    });
    const [probability, masks] = [plane(live.pixels(`probability${number}`), state), plane(live.pixels(`masks${number}`), state)];
    result.show(mixed(greys(probability.values), labelled(masks.values), 0.55), image.width, image.height);
    result.draw(shape('path', { d: outlines(truth.values, image.width, image.height) }, 'nn-truth'));
    const found = new Set(masks.values).size - 1;
    const wanted = new Set(truth.values).size - 1;
    const off = levels.slice(0, -1).filter((level) => (state & (2 ** (level - 1))) === 0);
    const masked = masks.values.filter((label) => label > 0).length;
    const true_ = truth.values.filter((label) => label > 0).length;
    const words = `${off.length === 0 ? 'With all skip connections' : `Without skip connection ${off.join(' and ')}`} the network finds ${found === 0 ? 'no mask' : found === 1 ? '1 mask' : `${found} masks`}; the truth has ${wanted}. Its masks cover ${masked} px, the truth ${true_} px.`;
    result.describe(words);
    say(words);
  };
  const nuclei = select('Nuclei', names.map((text, at) => ({ value: String(at), text })), (value) => {
    number = Number(value);
    update();
  });
  const columns = textElement('div', '', 'nn-levels');
  levels.forEach((_, at) => {
    const across = switches[at] ?? textElement('p', 'Bottom', 'nn-bottom');
    for (const part of [down[at]?.element, across, up[at]?.element]) if (part) columns.append(part);
  });
  const ends = textElement('div', '', 'nn-ends');
  ends.append(before.element, result.element);
  const whole = textElement('div', '', 'nn-skips');
  whole.append(columns, ends);
  show(row(nuclei.row), whole);
  update();
}
