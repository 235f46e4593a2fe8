import { grouped } from '../shared/text';
import { checkbox, panels, row, slider } from './controls';
import type { Live } from './live';
import { Plot, ticks } from './plot';
import { error, fit } from './polynomial';
import type { Stage } from './view';

const HIGHEST = 9;

/** A curve through few nuclei, how well it fits them, and how well others: the reader draws both lines out. */
export function overfitting(live: Live, { show, say }: Stage): void {
  const points = (name: string) => {
    const y = live.numbers(`${name}_y`);
    return live.numbers(`${name}_x`).map((x, at) => [x, y[at] ?? 0] as const);
  };
  const [trained, others] = [points('train'), points('valid')];
  const areas = [...trained, ...others].map(([x]) => x);
  const [low, high] = [Math.min(...areas), Math.max(...areas)];
  const most = Math.max(...[...trained, ...others].map(([, y]) => y));
  const curves = Array.from({ length: HIGHEST + 1 }, (_, degree) => fit(trained, degree, [low, high]));
  const errors = curves.map((curve) => [error(curve, trained), error(curve, others)] as const);
  const best = errors.reduce((kept, [, value], degree) => (value < (errors[kept]?.[1] ?? 0) ? degree : kept), 0);
  const seen = new Set<number>();
  let degree = 1;
  let hidden = false;

  const left = new Plot('Nuclei and the curve');
  left.setAxes({ name: 'Area (µm²)', from: 50 * Math.floor(low / 50), to: 50 * Math.ceil(high / 50), ticks: ticks(50 * Math.floor(low / 50), high, 100) }, { name: 'Area × mean grey level (thousands)', from: 0, to: 20 * Math.ceil(most / 20), ticks: ticks(0, 20 * Math.ceil(most / 20), 20) });
  const right = new Plot('Error of each curve that you drew');
  // Logarithms: the errors of wild curves are a thousand times those of tame ones.
  const scale = (value: number) => Math.log10(Math.max(0.1, value));
  right.setAxes({ name: 'Degree', from: 0, to: HIGHEST, ticks: ticks(0, HIGHEST, 1) }, { name: 'Error (thousands)', from: -1, to: 4, ticks: [-1, 0, 1, 2, 3, 4].map((at) => ({ at, text: at < 0 ? '0.1' : grouped(10 ** at) })) });

  const update = () => {
    seen.add(degree);
    const curve = curves[degree];
    if (curve === undefined) return;
    const line = Array.from({ length: 241 }, (_, at) => {
      const x = low + ((high - low) * at) / 240;
      return [x, curve.at(x)] as const;
    });
    left.show(
      [...(hidden ? [] : [{ points: others, kind: 'dots' as const, className: 'nn-other' }]), { points: line, kind: 'line', className: 'nn-one' }, { points: trained, kind: 'dots', className: 'nn-one' }],
      `A polynomial of degree ${degree} through ${trained.length} nuclei${hidden ? '' : `, with ${others.length} others`}.`,
      `filled: ${trained.length} nuclei for training${hidden ? '' : `; rings: ${others.length} for validation`}`,
    );
    const drawn = [...seen].sort((a, b) => a - b);
    const of = (part: 0 | 1) => drawn.map((one) => [one, scale(errors[one]?.[part] ?? 0)] as const);
    const parts = [{ points: of(0), className: 'nn-one' }, ...(hidden ? [] : [{ points: of(1), className: 'nn-other' }])];
    const [training, validation] = errors[degree] ?? [0, 0];
    right.show(parts.flatMap(({ points: line, className }) => [{ points: line, kind: 'line', className }, { points: line, kind: 'dots', className }]), `Error by degree for ${drawn.length} curves: of degree ${degree} it is ${words(training)} in training${hidden ? '' : ` and ${words(validation)} in validation`}.`, `filled: training${hidden ? '' : '; rings: validation'}`);
    const all = drawn.length < HIGHEST + 1 ? ' Move on: each degree adds a point on the right.' : hidden ? '' : ` The error of training only falls; that of validation is least at degree ${best}.`;
    say(`Degree ${degree}, ${degree + 1} ${degree === 0 ? 'parameter' : 'parameters'}: error ${words(training)} on the nuclei of training${hidden ? '' : `, ${words(validation)} on the others`}.${all}`);
  };
  const degrees = slider('Degree of the curve', { min: 0, max: HIGHEST, value: degree }, (value) => {
    degree = value;
    update();
  });
  const hide = checkbox('Hide validation', false, (checked) => {
    hidden = checked;
    update();
  });
  show(row(degrees.element, hide), panels(left.element, right.element));
  update();
}

function words(value: number): string {
  return value < 0.05 ? 'nearly 0' : value < 100 ? value.toFixed(1) : grouped(value);
}
