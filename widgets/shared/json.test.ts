import { describe, expect, it } from 'vitest';
import { resolve, resolver } from './json';

describe('addresses that are relative to one', () => {
  const relative = ['a.zip', 'previews/a_b-1.jpg', 'a b.jpg', 'a#b', '../a', './a', 'a/../b', 'a/./b', '/a', '//other.example/a', 'https://other.example/a', 'x:y', 'ä.zip', 'a?b', 'a%20b', ''];

  it.each(['https://book.example/build/pyramids/panoramas.json?v=2', 'kernel://k1/panoramas.json', 'https://book.example', 'nowhere'])(
    'of %s are those that each has alone',
    (address) => {
      const absolute = resolver(address);
      expect(relative.map(absolute)).toEqual(relative.map((one) => resolve(one, address)));
      expect(absolute(null)).toBeNull();
    },
  );
});
