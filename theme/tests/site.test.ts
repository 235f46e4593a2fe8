import { expect, test } from 'vitest';
import { neighbours, outline, tableOfContents } from '../src/site.js';

const project = {
  title: 'Book',
  index: 'index',
  pages: [
    { title: 'Chapters', level: 1 },
    { title: 'One', slug: 'one', level: 2 },
    { title: 'Notebooks', level: 1 },
    { title: 'Two', slug: 'notebooks.two', level: 2 },
  ],
};

test('pages turn over the names of groups', () => {
  const { previous, next, group } = neighbours(tableOfContents(project, '/base', 'one'));
  expect(previous?.href).toBe('/base/');
  expect(next?.href).toBe('/base/notebooks/two/');
  expect(group).toBe('Chapters');
});

test('the first page has no page before it and no group', () => {
  expect(neighbours(tableOfContents(project, '', 'index'))).toMatchObject({ previous: undefined, group: undefined });
});

test('the outline holds sections of two levels, and none from inside a card', () => {
  const heading = (depth: number, value: string) => ({ type: 'heading', depth, html_id: value, children: [{ type: 'text', value }] });
  const page = {
    type: 'root',
    children: [
      { type: 'block', children: [heading(2, 'a'), heading(3, 'b'), heading(4, 'c')] },
      { type: 'card', children: [heading(2, 'd')] },
    ],
  };
  expect(outline(page)).toEqual([{ id: 'a', title: 'a', children: [{ id: 'b', title: 'b', children: [] }] }]);
});
