import { describe, expect, it } from 'vitest';
import { parseMove } from './guide';

describe('a link that moves a view', () => {
  it('names the figure, and what the address is to say', () => {
    expect(parseMove('#fig1a&panorama=Run1TL_top_left&roi=12&view=900,640,400&layer=twin')).toEqual({
      figure: 'fig1a',
      values: [['panorama', 'Run1TL_top_left'], ['roi', '12'], ['view', '900,640,400'], ['layer', 'twin']],
    });
    expect(parseMove('#fig1b&fig1b.draw=7')).toEqual({ figure: 'fig1b', values: [['fig1b.draw', '7']] });
    expect(parseMove('#fig:chosen&view=1%2C2%2C3')).toEqual({ figure: 'fig:chosen', values: [['view', '1,2,3']] });
  });

  it('drops the nucleus and the layer of another panorama', () => {
    expect(parseMove('#fig1a&panorama=b')?.values).toEqual([['panorama', 'b'], ['roi', null], ['layer', null]]);
    expect(parseMove('#fig1a&masks=off')?.values).toEqual([['masks', 'off']]);
  });

  it('is no other link', () => {
    for (const fragment of ['', '#', '#fig1a', '#&roi=1', '#%E0%A4%A&roi=1']) expect(parseMove(fragment)).toBeNull();
  });
});
