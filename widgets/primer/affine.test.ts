import { describe, expect, it } from 'vitest';
import { turned } from './affine';

const IMAGE = { width: 3, height: 3, values: [1, 2, 3, 4, 5, 6, 7, 8, 9] };

describe('an image that is turned', () => {
  it('is as it was where nothing is changed', () => {
    expect([...turned(IMAGE, { angle: 0, mirrored: false, size: 1 })]).toEqual(IMAGE.values);
  });

  it('turns clockwise, and a mirrored one is mirrored left to right', () => {
    expect([...turned(IMAGE, { angle: 90, mirrored: false, size: 1 }, true)]).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect([...turned(IMAGE, { angle: 0, mirrored: true, size: 1 }, true)]).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7]);
  });

  it('has 0 where it is smaller than its frame', () => {
    const small = turned(IMAGE, { angle: 0, mirrored: false, size: 0.5 });
    expect(small[4]).toBe(5);
    expect(small[0]).toBe(0);
  });
});
