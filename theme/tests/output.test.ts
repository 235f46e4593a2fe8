import { expect, test } from 'vitest';
import { ansiRuns } from '../src/ansi.js';
import { Model } from '../src/client/model.js';
import { sanitised } from '../src/sanitised.js';

test("a terminal's colours become runs", () => {
  expect(ansiRuns('a\u001b[31mb\u001b[39m\u001b[1;38;5;160mc\u001b[0md')).toEqual([
    { text: 'a', bold: false },
    { text: 'b', bold: false, colour: 'red' },
    { text: 'c', bold: true, colour: '#d70000' },
    { text: 'd', bold: false },
  ]);
});

test('nothing in sanitised HTML runs or asks another host for anything', () => {
  const html = sanitised(
    '<table border="1" onclick="x()"><tr><td style="text-align:right;position:fixed">1</td></tr></table>' +
      '<script>x()</script><style>td{}</style><a href="javascript:x()">a</a><img src="https://example.org/a.png"><iframe src="/"></iframe>',
  );
  expect(html).toBe('<table><tr><td style="text-align:right">1</td></tr></table><a>a</a>');
});

test('a model without a kernel reports changes and accepts every call', () => {
  const model = new Model({ n: 1 });
  const seen: unknown[] = [];
  const listener = () => { seen.push(model.get('n')); };
  model.on('change:n change', listener);
  model.set('n', 2);
  model.set('n', 2);
  model.off('change:n', listener);
  model.set('n', 3);
  model.off();
  model.set('n', 4);
  model.save_changes();
  model.send();
  expect(seen).toEqual([2, 2, 3]);
});
