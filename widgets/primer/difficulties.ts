import { Choices } from '../shared/choices';
import { controlGroup } from '../shared/elements';
import { panels, row } from './controls';
import { plane, type Live } from './live';
import { greys, labelled, mixed, outlines, Picture, shape } from './picture';
import type { Stage } from './view';

/** What is hard about nuclei, each with an image and what a method makes of it. */
export function difficulties(live: Live, { show, say }: Stage): void {
  const [names, notes, methods] = [live.texts('names'), live.texts('notes'), live.texts('methods')];
  const before = new Picture('Image', '');
  const after = new Picture('', '');
  const update = (at: number) => {
    const [image, truth, labels] = ['image', 'true', 'labels'].map((name) => plane(live.pixels(name), at));
    if (!image || !truth || !labels) return;
    const { width, height } = image;
    const grey = greys(image.values);
    before.show(grey, width, height);
    before.draw(shape('path', { d: outlines(truth.values, width, height) }, 'nn-truth'));
    before.setNote(live.texts('truths')[at] ?? '');
    before.describe(`${names[at] ?? ''}: nuclei in grey, with outlines in blue.`);
    after.show(mixed(grey, labelled(labels.values), 0.6), width, height);
    after.setTitle(methods[at] ?? '');
    const masks = new Set(labels.values).size - 1;
    after.setNote(`${masks} ${masks === 1 ? 'mask' : 'masks'}, in colours`);
    after.describe(`${methods[at] ?? ''}: ${masks} ${masks === 1 ? 'mask' : 'masks'}.`);
    say(notes[at] ?? '');
  };
  const which = new Choices(names.map((text, at) => ({ value: String(at), text: `${at + 1} ${text}` })), (value) => { update(Number(value)); });
  which.show('0');
  show(row(controlGroup('Difficulty', 'nn-many', which.element)), panels(before.element, after.element));
  update(0);
}
