import { describe, expect, it } from 'vitest';
import { VIEW_STATE } from '../panorama/viewstate';
import { SCATTER_STATE } from '../scatter/scatterstate';
import { BRUSHED, SHARED, type Kinds } from './address';

describe('views that have no name on a page', () => {
  it('share nothing in its address but what all views share', () => {
    const own = <V>(kinds: Kinds<V>) =>
      (Object.keys(kinds) as (keyof V & string)[])
        .filter((name) => !(name in SHARED) && !(name in BRUSHED))
        .map((name) => kinds[name].parameter ?? name);
    const scatter = own(SCATTER_STATE);
    expect(scatter).toContain('by');
    const panorama = own(VIEW_STATE);
    expect(panorama.filter((name) => scatter.includes(name))).toEqual([]);
    expect(new Set(panorama).size).toBe(panorama.length);
  });
});
