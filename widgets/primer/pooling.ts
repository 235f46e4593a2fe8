import { grouped } from '../shared/text';
import { checkbox, panels, row, select, slider } from './controls';
import { pool, type Grid, type Pooling } from './filters';
import type { Live } from './live';
import { box, greys, Picture } from './picture';
import type { Stage } from './view';

const RULES = { brightest: 'Brightest of four', mean: 'Mean of four', first: 'First of four' } as const;

/** Poolings one after the other: what is left of a nucleus. */
export function pooling(live: Live, { show, say }: Stage): void {
  const image = live.pixels('image');
  const perUm = live.number('px_per_um');
  let rule: Pooling = 'brightest';
  let times = 1;
  let moved = false;
  const before = new Picture('Image', '');
  const after = new Picture('Pooled', '');

  const pooled = (from: Grid) => {
    let grid = from;
    for (let time = 0; time < times; time++) grid = pool(grid, rule);
    return grid;
  };
  const update = () => {
    const from = moved ? shifted(image) : image;
    const grid = pooled(from);
    const side = 2 ** times;
    const numbers = grid.width * grid.height;
    const [x, y] = [Math.floor(live.number('x') / side), Math.floor(live.number('y') / side)];
    before.show(greys(from.values), from.width, from.height);
    before.describe(`A nucleus in grey, ${from.width} by ${from.height} pixels. A frame marks a block of ${side} by ${side}.`);
    before.setNote(`${image.width} × ${image.height} numbers`);
    before.draw(box(x * side, y * side, side, side));
    after.show(greys(grid.values), grid.width, grid.height);
    after.describe(`The same nucleus in ${grid.width} by ${grid.height} numbers.`);
    after.setNote(`${grid.width} × ${grid.height} numbers`);
    after.draw(box(x, y, 1, 1));
    const others = pooled(moved ? image : shifted(image));
    const changed = Array.from(grid.values).filter((value, at) => Math.abs(value - (others.values[at] ?? 0)) > CHANGED).length;
    const share = ((100 * changed) / numbers).toFixed(0);
    say(
      `${times === 0 ? 'No pooling' : times === 1 ? 'One pooling' : `${times} poolings`}: ${grouped(numbers)} numbers instead of ${grouped(image.width * image.height)}. ` +
        `Each stands for a square of ${(side / perUm).toFixed(1)} µm. Moving the nucleus by one pixel changes ${share} % of them by more than ${CHANGED} grey levels.`,
    );
  };
  const count = slider('Poolings', { min: 0, max: 4, value: times }, (value) => {
    times = value;
    update();
  });
  const which = select<Pooling>('What is kept', Object.entries(RULES).map(([value, text]) => ({ value: value as Pooling, text })), (value) => {
    rule = value;
    update();
  });
  const shift = checkbox('Move the nucleus one pixel to the right', false, (checked) => {
    moved = checked;
    update();
  });
  show(row(count.element, which.row, shift), panels(before.element, after.element));
  update();
}

const CHANGED = 25;

/** An image one pixel to the right; what enters from the left is as its old first column. */
function shifted({ width, height, values }: Grid): Grid {
  const moved = new Uint8Array(width * height);
  for (let at = 0; at < moved.length; at++) moved[at] = values[at % width === 0 ? at : at - 1] ?? 0;
  return { width, height, values: moved };
}
