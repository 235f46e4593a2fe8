import { textElement } from '../shared/elements';
import { checkbox, panels, row, select, slider } from './controls';
import { convolve, under, weightedSum } from './filters';
import type { Live } from './live';
import { box, greys, Picture, signed } from './picture';
import type { Stage } from './view';

const ninth = 0.11;
const PRESETS = {
  vertical: { text: 'Edges from left to right', kernel: [-1, 0, 1, -2, 0, 2, -1, 0, 1] },
  horizontal: { text: 'Edges from top to bottom', kernel: [-1, -2, -1, 0, 0, 0, 1, 2, 1] },
  all: { text: 'Edges and spots of any direction', kernel: [-1, -1, -1, -1, 8, -1, -1, -1, -1] },
  mean: { text: 'Mean of nine: blur', kernel: [ninth, ninth, ninth, ninth, ninth, ninth, ninth, ninth, ninth] },
  sharp: { text: 'Sharpen', kernel: [0, -1, 0, -1, 5, -1, 0, -1, 0] },
  same: { text: 'The image as it is', kernel: [0, 0, 0, 0, 1, 0, 0, 0, 0] },
  own: { text: 'Your own', kernel: null },
} as const;
type Preset = keyof typeof PRESETS;

const ROWS = ['Top', 'Middle', 'Bottom'];
const COLUMNS = ['left', 'centre', 'right'];

/** A kernel that the reader edits, and what it makes of a nucleus. */
export function convolution(live: Live, { show, say }: Stage): void {
  const image = live.pixels('image');
  const { width, height } = image;
  const kernel: number[] = [...PRESETS.vertical.kernel];
  let place = { x: live.number('x'), y: live.number('y') };
  let rectified = false;

  const before = new Picture('Image', `A nucleus in grey, ${width} by ${height} pixels. A frame marks the nine pixels under the kernel.`);
  const after = new Picture('Feature map', '');
  before.show(greys(image.values), width, height);
  before.setNote('grey level 0 black, 255 white');

  const fields = kernel.map((_, at) => {
    const field = document.createElement('input');
    field.type = 'number';
    field.step = 'any';
    field.className = 'nn-control';
    field.setAttribute('aria-label', `${ROWS[Math.floor(at / 3)]} ${COLUMNS[at % 3]}`);
    field.addEventListener('input', () => {
      if (!Number.isFinite(field.valueAsNumber)) return;
      kernel[at] = field.valueAsNumber;
      preset.value = 'own';
      update();
    });
    return field;
  });
  const weights = textElement('div', '', 'nn-kernel');
  weights.setAttribute('role', 'group');
  weights.setAttribute('aria-label', 'Kernel: nine weights');
  weights.append(...fields);
  const fill = () => {
    fields.forEach((field, at) => {
      field.value = String(kernel[at]);
    });
  };
  const preset = select<Preset>('Kernel', Object.entries(PRESETS).map(([value, { text }]) => ({ value: value as Preset, text })), (value) => {
    PRESETS[value].kernel?.forEach((weight, at) => {
      kernel[at] = weight;
    });
    fill();
    update();
  });
  const products = textElement('p', '', 'nn-products');
  const middle = textElement('div', '', 'nn-middle');
  middle.append(weights, products);

  const move = (x: number, y: number) => {
    place = { x, y };
    [columns.value, rows.value] = [x + 1, y + 1];
    mark();
  };
  const columns = slider('Column', { min: 1, max: width, value: place.x + 1 }, (x) => { move(x - 1, place.y); });
  const rows = slider('Row', { min: 1, max: height, value: place.y + 1 }, (y) => { move(place.x, y - 1); });
  for (const picture of [before, after]) picture.onPress((x, y) => { move(Math.floor(x), Math.floor(y)); });

  const mark = () => {
    const { x, y } = place;
    const numbers = under(image, x, y);
    const sum = weightedSum(numbers, kernel);
    before.draw(box(x - 1, y - 1, 3, 3));
    after.draw(box(x, y, 1, 1));
    const lines = [0, 3, 6].map((from) => numbers.slice(from, from + 3).map((number, at) => `${number} × ${signedText(kernel[from + at] ?? 0)}`).join(' + '));
    products.textContent = `${lines.join('\n+ ')}\n= ${shown(sum)}`;
    const kept = rectified && sum < 0 ? '; the activation makes 0 of it' : '';
    say(`Row ${y + 1}, column ${x + 1}: the nine grey levels under the kernel, each times its weight, add up to ${shown(sum)}${kept}.`);
  };
  const update = () => {
    const map = convolve(image, kernel, rectified);
    const [least, most] = [Math.min(...map), Math.max(...map)];
    const reach = Math.max(-least, most, 1e-9);
    after.show(least < 0 ? signed(map, reach) : greys(map, reach), width, height);
    after.setNote(least < 0 ? `blue ${shown(-reach)}, black 0, orange ${shown(reach)}` : `black 0, white ${shown(reach)}`);
    after.describe(`What the kernel makes of the nucleus, from ${shown(least)} to ${shown(most)}. A frame marks the pixel computed.`);
    mark();
  };
  const activation = checkbox('Then an activation: below 0 becomes 0', false, (checked) => {
    rectified = checked;
    update();
  });

  show(row(preset.row, activation), panels(before.element, after.element, middle), row(columns.element, rows.element));
  fill();
  update();
}

function shown(value: number): string {
  return value.toFixed(Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0).replace('-', '−');
}

function signedText(weight: number): string {
  return weight < 0 ? `(−${-weight})` : String(weight);
}
