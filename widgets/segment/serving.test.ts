import { describe, expect, it } from 'vitest';
import type { Answer, Methods } from './protocol';
import { serveSegmenter } from './segmenter';

interface Call {
  id: number;
  method: keyof Methods;
  given: unknown[];
}

/** A worker's side, and what it answers to a call. */
function served(): (call: Call) => Promise<Answer> {
  let answered: (answer: Answer) => void = () => undefined;
  const scope = {
    onmessage: null as ((event: MessageEvent<Call>) => void) | null,
    postMessage: (answer: Answer) => {
      if ('id' in answer) answered(answer);
    },
  };
  serveSegmenter(scope, 'about:blank');
  return (call) =>
    new Promise((resolve) => {
      answered = resolve;
      scope.onmessage?.({ data: call } as MessageEvent<Call>);
    });
}

describe('a worker that is refused memory', () => {
  it.each([
    ['Chromium', new RangeError('Array buffer allocation failed')],
    ['Firefox', new RangeError('invalid array length')],
    ['Safari', new Error('Out of memory')],
    ['WebAssembly', new Error('failed to allocate a buffer of size 900000000')],
  ])('says so in one line as %s words it, and answers what comes next', async (_, error) => {
    const ask = served();
    const file = { size: 100, slice: () => ({ arrayBuffer: () => Promise.reject(error) }) };
    expect(await ask({ id: 1, method: 'open', given: [file, 'large.tif', null] })).toEqual({
      id: 1,
      problem: 'This browser has no memory left for an image of this size; close other tabs, or open a part of it.',
    });
    expect(await ask({ id: 2, method: 'open', given: [new Blob(), 'empty.tif', null] })).toEqual({
      id: 2,
      problem: 'empty.tif is empty; choose another file.',
    });
  });
});
