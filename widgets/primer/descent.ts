import { textButton } from '../shared/elements';
import { panels, row, slider } from './controls';
import type { Live } from './live';
import { greys, mixed, outlines, Picture, shape, word } from './picture';
import { Plot, ticks } from './plot';
import { countLevels, descend, loss, placeOf, probability, UNIT, type Place } from './threshold';
import type { Stage } from './view';

const LOW = placeOf(0, 2);
const HIGH = placeOf(192, 64);
const [ACROSS, UPWARDS] = [96, 80];
const RATES = [0.1, 0.2, 0.5, 1, 2, 3, 5, 8, 12, 20];
const STEPS = 60;
/** Where the axis of the loss may end, with the distance of its ticks. */
const TOPS = [[0.2, 0.05], [0.6, 0.2], [1.2, 0.4]] as const;

/** Two parameters of a threshold, the loss of each pair of them, and the way downhill from where the reader starts. */
export function descent(live: Live, { show, say }: Stage): void {
  const [image, truth] = [live.pixels('image'), live.pixels('true')];
  const levels = countLevels(image.values, truth.values);
  let start = placeOf(live.number('threshold'), live.number('softness'));
  let rate = 3;
  let steps = 12;

  const at = (x: number, y: number): Place => ({
    threshold: LOW.threshold + (x / ACROSS) * (HIGH.threshold - LOW.threshold),
    softness: HIGH.softness - (y / UPWARDS) * (HIGH.softness - LOW.softness),
  });
  const pixel = ({ threshold, softness }: Place) => [
    ((threshold - LOW.threshold) / (HIGH.threshold - LOW.threshold)) * ACROSS,
    ((HIGH.softness - softness) / (HIGH.softness - LOW.softness)) * UPWARDS,
  ] as const;

  const surface = new Picture('Loss of each pair of values', '');
  const result = new Picture('What the model says', '');
  const plot = new Plot('Loss by step');
  const values = Array.from({ length: ACROSS * UPWARDS }, (_, index) => loss(levels, at((index % ACROSS) + 0.5, Math.floor(index / ACROSS) + 0.5)));
  surface.show(bands(values), ACROSS, UPWARDS);
  surface.setNote('threshold from left to right, softness upwards; dark: low loss');
  result.setNote('white: a nucleus for certain; blue: the truth');
  result.draw(shape('path', { d: outlines(truth.values, truth.width, truth.height) }, 'nn-truth'));

  const update = () => {
    const path = descend(levels, start, rate, STEPS, { low: LOW, high: HIGH });
    const walked = path.slice(0, steps + 1);
    const here = walked.at(-1) ?? start;
    const [x, y] = pixel(here);
    const [startX, startY] = pixel(start);
    surface.draw(
      shape('polyline', { points: walked.map((place) => pixel(place).join(',')).join(' ') }, 'nn-line'),
      ...walked.map((place) => dot(...pixel(place), 5)),
      shape('path', { d: `M${startX - 2} ${startY}h4M${startX} ${startY - 2}v4` }, 'nn-line'),
      dot(x, y, 11),
    );
    result.show(greys(image.values.map((grey) => 255 * probability(grey, here))), image.width, image.height);
    const losses = path.map((place, step) => [step, loss(levels, place)] as const);
    const [now, most] = [losses[steps]?.[1] ?? 0, Math.max(0.2, ...losses.map(([, value]) => value))];
    const [top, gap] = TOPS.find(([highest]) => highest >= most) ?? [4, 1];
    plot.setAxes({ name: 'Step', from: 0, to: STEPS, ticks: ticks(0, STEPS, 10) }, { name: 'Loss', from: 0, to: top, ticks: ticks(0, top, gap) });
    plot.show([{ points: losses, kind: 'line', className: 'nn-quiet' }, { points: losses.slice(0, steps + 1), kind: 'line', className: 'nn-one' }, { points: [[steps, now]], kind: 'dots', className: 'nn-one' }], `The loss over ${STEPS} steps; after ${steps} it is ${now.toFixed(3)}.`);
    const right = image.values.filter((grey, index) => (probability(grey, here) > 0.5) === ((truth.values[index] ?? 0) > 0)).length / image.values.length;
    const words = `threshold ${(UNIT * here.threshold).toFixed(0)}, softness ${(2 ** here.softness).toFixed(1)} grey levels`;
    surface.describe(`The loss over threshold and softness: a valley on the left. The path of ${steps} steps ends at ${words}.`);
    result.describe(`The nucleus as the model sees it, with the outline of the truth; ${(100 * right).toFixed(1)} % of the pixels are right.`);
    const rises = losses.slice(1, steps + 1).filter(([, value], step) => value > (losses[step]?.[1] ?? 0) + 1e-6).length;
    say(`After ${steps} steps: ${words}; loss ${now.toFixed(3)}, ${(100 * right).toFixed(1)} % of the pixels right.${rises > 0 ? ` The loss rose in ${rises} of the steps: the learning rate is too high here.` : ''}`);
  };

  const rates = slider('Learning rate', { min: 0, max: RATES.length - 1, value: RATES.indexOf(rate), words: (index) => String(RATES[index]) }, (index) => {
    rate = RATES[index] ?? rate;
    update();
  });
  const count = slider('Steps', { min: 0, max: STEPS, value: steps }, (value) => {
    steps = value;
    update();
  });
  const threshold = slider('Start: threshold', { min: 0, max: 192, value: UNIT * start.threshold }, (value) => { begin(value, 2 ** start.softness); });
  const softness = slider('Start: softness', { min: 2, max: 64, value: 2 ** start.softness }, (value) => { begin(UNIT * start.threshold, value); });
  const begin = (level: number, soft: number) => {
    start = placeOf(level, soft);
    update();
  };
  surface.onPress((x, y) => {
    start = at(x, y);
    threshold.value = UNIT * start.threshold;
    softness.value = 2 ** start.softness;
    update();
  });
  const step = textButton('One step', () => {
    steps = Math.min(STEPS, steps + 1);
    count.value = steps;
    update();
  });
  const again = textButton('From the start', () => {
    steps = 0;
    count.value = 0;
    update();
  });
  show(row(rates.element, count.element, step, again), panels(surface.element, result.element, plot.element), row(threshold.element, softness.element));
  update();
}

/** A point that stays round where a picture is stretched. */
function dot(x: number, y: number, size: number): SVGElement {
  const element = shape('path', { d: `M${x} ${y}h0` }, 'nn-dot');
  element.setAttribute('stroke-width', String(size));
  return element;
}

/** The surface in bands of equal ratio, like the lines of a map; darker is lower. */
function bands(values: readonly number[]): Uint32Array<ArrayBuffer> {
  const low = Math.log(Math.min(...values));
  const high = Math.log(Math.max(...values));
  const shade = greys(values.map((value) => 20 + (200 * Math.floor((16 * (Math.log(value) - low)) / (high - low))) / 16));
  return mixed(shade, shade.map(() => word(40, 90, 160)), 0.35);
}
