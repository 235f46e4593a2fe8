import { checkbox, panels, row, slider } from './controls';
import { plane, type Live } from './live';
import { box, greys, mixed, Picture, word } from './picture';
import { Plot, ticks } from './plot';
import type { Stage } from './view';

/** The part of the image that one number depends on, layer by layer through the book's own network. */
export function receptive(live: Live, { show, say }: Stage): void {
  const image = live.pixels('image');
  const influence = live.pixels('influence');
  const perUm = live.number('px_per_um');
  const [kinds, levels, sides, steps] = [live.texts('kinds'), live.numbers('levels'), live.numbers('sides'), live.numbers('steps')];
  let layer = 4;
  let weighed = false;
  const picture = new Picture('What one number depends on', '');
  const plot = new Plot('Side of that square');
  plot.setAxes(
    { name: 'Layer', from: 0, to: kinds.length, ticks: ticks(0, kinds.length, 4) },
    { name: 'Side in px', from: 0, to: image.width, ticks: ticks(0, image.width, 32) },
  );
  const grey = greys(image.values);

  const update = () => {
    const side = sides[layer - 1] ?? 1;
    const level = levels[layer - 1] ?? 1;
    // The last layer of a level is followed by a pooling, or by nothing.
    const ends = kinds[layer] !== 'convolution';
    const colours = weighed && ends ? mixed(grey, Uint32Array.from(plane(influence, level - 1).values, (share) => word(share, share * 0.55, 0)), 0.75) : grey;
    picture.show(colours, image.width, image.height);
    const place = (image.width - side) / 2;
    picture.draw(box(place, place, side, side));
    picture.describe(`Nuclei in grey. A frame of ${side} by ${side} pixels around the middle marks what one number of layer ${layer} depends on.`);
    picture.setNote(weighed ? (ends ? 'orange: pixels that change the number most' : 'measured after the last layer of each level') : `${side} × ${side} px`);
    const points = sides.map((value, at) => [at + 1, value] as const);
    const here = [layer, side] as const;
    plot.show([{ points, kind: 'line', className: 'nn-quiet' }, { points: points.slice(0, layer), kind: 'line', className: 'nn-one' }, { points: [here], kind: 'dots', className: 'nn-one' }], `A curve that rises from 3 to ${sides.at(-1) ?? 0} pixels over ${kinds.length} layers; the present one has ${side}.`);
    const [convolutions, poolings] = ['convolution', 'pooling'].map((kind) => kinds.slice(0, layer).filter((one) => one === kind).length);
    say(
      `After ${plural(convolutions ?? 0, 'convolution')} and ${plural(poolings ?? 0, 'pooling')} one number depends on ${side} × ${side} px, a square of ${(side / perUm).toFixed(0)} µm. ` +
        `Neighbouring numbers are ${plural(steps[layer - 1] ?? 1, 'pixel')} apart.`,
    );
  };
  const depth = slider('Layers', { min: 1, max: kinds.length, value: layer, words: (value) => `${value}: ${kinds[value - 1] ?? ''}` }, (value) => {
    layer = value;
    update();
  });
  const weigh = checkbox('Show which pixels count most', false, (checked) => {
    weighed = checked;
    update();
  });
  show(row(depth.element, weigh), panels(picture.element, plot.element));
  update();
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
