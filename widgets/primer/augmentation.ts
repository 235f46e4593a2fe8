import { textButton } from '../shared/elements';
import { turned } from './affine';
import { checkbox, panels, row, slider } from './controls';
import type { Live } from './live';
import { greys, outlines, Picture, shape } from './picture';
import type { Stage } from './view';

/** One crop with its truth, varied as crops of a training are. */
export function augmentation(live: Live, { show, say }: Stage): void {
  const [image, truth] = [live.pixels('image'), live.pixels('true')];
  const { width, height } = image;
  const state = { angle: 30, mirrored: false, size: 1, brightness: 1, noise: 0 };
  let follows = true;
  let grain = normal(width * height);
  const before = new Picture('Crop', 'Nuclei that touch, in grey, with the outlines of the truth in blue.');
  const after = new Picture('The crop as the network is given it', '');
  before.show(greys(image.values), width, height);
  const line = (labels: ArrayLike<number>) => shape('path', { d: outlines(labels, width, height) }, 'nn-truth');
  before.draw(line(truth.values));
  before.setNote('blue: the truth');
  after.setNote('blue: the truth that comes with it');

  const update = () => {
    const moved = turned(image, state);
    after.show(
      greys(moved.map((grey, at) => grey * state.brightness + state.noise * (grain[at] ?? 0) * Math.sqrt(20 + grey))),
      width,
      height,
    );
    const mask = turned(truth, state, true);
    after.draw(line(follows ? mask : truth.values));
    const shared = mask.filter((label, at) => label > 0 && label === truth.values[at]).length;
    const either = mask.filter((label, at) => label > 0 || (truth.values[at] ?? 0) > 0).length;
    const fits = follows ? 1 : shared / Math.max(1, either);
    const done = [
      ...(state.angle === 0 ? [] : [`turned by ${state.angle}°`]),
      ...(state.mirrored ? ['mirrored'] : []),
      ...(state.size.toFixed(2) === '1.00' ? [] : [`${state.size.toFixed(2)} times the size`]),
      ...(state.brightness.toFixed(1) === '1.0' ? [] : [`${state.brightness.toFixed(1)} times as bright`]),
      ...(state.noise === 0 ? [] : ['noisier']),
    ];
    if (done.length === 0) done.push('as it was');
    after.describe(`The nuclei ${done.join(', ')}; the outlines ${follows ? 'follow' : 'stay where they were'}.`);
    say(follows ? `${capital(done.join(', '))}: the network takes it for another image, and its truth is right.` : `The truth has stayed behind: only ${(100 * fits).toFixed(0)} % of it is still right, and a network would learn the mistake.`);
  };
  const set = (values: Partial<typeof state>) => {
    Object.assign(state, values);
    update();
  };
  const angle = slider('Turn', { min: -180, max: 180, step: 5, value: state.angle, words: (value) => `${value}°` }, (value) => { set({ angle: value }); });
  const size = slider('Size', { min: 0.6, max: 1.5, step: 0.05, value: 1, words: (value) => `× ${value.toFixed(2)}` }, (value) => { set({ size: value }); });
  const brightness = slider('Brightness', { min: 0.3, max: 2, step: 0.1, value: 1, words: (value) => `× ${value.toFixed(1)}` }, (value) => { set({ brightness: value }); });
  const noise = slider('Noise', { min: 0, max: 6, step: 0.5, value: 0 }, (value) => { set({ noise: value }); });
  const mirror = checkbox('Mirror', false, (mirrored) => { set({ mirrored }); });
  const follow = checkbox('The truth follows', true, (checked) => {
    follows = checked;
    update();
  });
  const draw = textButton('Draw one at random', () => {
    grain = normal(width * height);
    const between = (low: number, high: number) => low + (high - low) * Math.random();
    Object.assign(state, { angle: 5 * Math.round(between(-36, 36)), mirrored: Math.random() < 0.5, size: between(0.7, 1.35), brightness: between(0.5, 1.6), noise: between(0, 4) });
    [angle.value, size.value, brightness.value, noise.value] = [state.angle, state.size, state.brightness, state.noise];
    mirror.box.checked = state.mirrored;
    update();
  });
  show(row(draw, mirror, follow), panels(before.element, after.element), row(angle.element, size.element, brightness.element, noise.element));
  update();
}

/** Numbers around 0 with a standard deviation of about 1: sums of uniform ones. */
function normal(count: number): Float64Array {
  return Float64Array.from({ length: count }, () => Math.random() + Math.random() + Math.random() + Math.random() - 2).map((value) => value * 1.73);
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
