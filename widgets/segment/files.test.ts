import { describe, expect, it } from 'vitest';
import { describePlanes } from './decode';
import { Edits } from './edits';
import type { FullMasks, Nucleus } from './masks';
import { polygonsOf } from './outline';
import { tableOf } from './outputs';
import type { Image, Labels } from './plane';

function labels(rows: string[]): Labels {
  return { width: rows[0]?.length ?? 0, height: rows.length, data: Int32Array.from(rows.join('').split(''), Number) };
}

const DRAWN = labels(['0000000', '0110220', '0110220', '0110000']);

/** Masks that are there already. */
function masksOf(drawn: Labels): FullMasks {
  const part = (left: number, top: number, columns: number, rows: number, step = 1): Labels => ({
    width: columns,
    height: rows,
    data: Int32Array.from({ length: columns * rows }, (_, at) => drawn.data[(top + step * Math.floor(at / columns)) * drawn.width + left + step * (at % columns)] ?? 0),
  });
  return { part } as unknown as FullMasks;
}

function nucleus(roi: number, left: number, top: number, width: number, height: number): Nucleus {
  return { roi, area: width * height, left, top, width, height, x: left + (width - 1) / 2, y: top + (height - 1) / 2, mean: 10, sd: 0, confidence: 0.9 };
}

const NUCLEI = [nucleus(1, 1, 1, 2, 3), nucleus(2, 4, 1, 2, 2)];
const IMAGE: Image = { width: 7, height: 4, data: new Uint8Array(28).fill(10) };

function edited(): { edits: Edits; seen: () => string[] } {
  const edits = new Edits(masksOf(DRAWN), IMAGE);
  edits.begin(NUCLEI);
  const seen = () => {
    const part = masksOf(DRAWN).part(0, 0, 7, 4);
    edits.apply(part, 0, 0, 1);
    return Array.from({ length: 4 }, (_, y) => part.data.subarray(7 * y, 7 * y + 7).join(''));
  };
  return { edits, seen };
}

describe('corrections by hand', () => {
  it('delete, merge and split nuclei, whose measures follow, and are taken back one by one', () => {
    const { edits, seen } = edited();
    edits.add({ kind: 'merge', rois: [1, 2] });
    expect(seen()).toEqual(['0000000', '0110110', '0110110', '0110000']);
    expect(edits.nuclei()).toMatchObject([{ roi: 1, area: 10, left: 1, width: 5, confidence: null }]);
    edits.add({ kind: 'delete', roi: 1 });
    expect(edits.nuclei()).toEqual([]);
    edits.undo();
    edits.undo();
    expect(seen()).toEqual(['0000000', '0110220', '0110220', '0110000']);
    expect(edits.nuclei()).toEqual(NUCLEI);
    edits.add({ kind: 'split', roi: 1, line: [[0, 2], [4, 2]] });
    expect(seen()).toEqual(['0000000', '0110220', '0330220', '0330000']);
    expect(edits.nuclei().map(({ roi, area }) => [roi, area])).toEqual([[1, 2], [2, 4], [3, 4]]);
  });

  it('draw where no other nucleus is, and brush and wipe what a stroke covers', () => {
    const { edits, seen } = edited();
    edits.add({ kind: 'draw', roi: null, outline: [[2, 0], [7, 0], [7, 2], [2, 2]] });
    expect(seen()[0]).toBe('0033333');
    expect(seen()[1]).toBe('0113223');
    edits.add({ kind: 'brush', roi: 2, path: [[4.5, 3.5], [5.5, 3.5]], radius: 0.6, erase: false });
    expect(seen()[3]).toBe('0110220');
    edits.add({ kind: 'brush', roi: 1, path: [[1.5, 3.5]], radius: 0.6, erase: true });
    expect(seen()[3]).toBe('0010220');
    expect(edits.count).toBe(3);
  });
});

describe('files of masks', () => {
  it('have outlines along the sides of pixels, for each piece and its holes', () => {
    expect(polygonsOf(labels(['110', '100', '001']), 1, 10, 20)).toEqual([
      [[[10, 20], [12, 20], [12, 21], [11, 21], [11, 22], [10, 22]]],
      [[[12, 22], [13, 22], [13, 23], [12, 23]]],
    ]);
    expect(polygonsOf(labels(['111', '101', '111']), 1, 0, 0)).toEqual([
      [[[0, 0], [3, 0], [3, 3], [0, 3]], [[1, 2], [2, 2], [2, 1], [1, 1]]],
    ]);
  });

  it('have the table of nnbook measure, with areas in um2 where the scale is known', () => {
    const saved = { name: 'a,b.tif', width: 7, height: 4, nuclei: NUCLEI, rows: () => DRAWN, pxPerUm: 2 };
    const [names, first] = tableOf(saved).split('\n');
    expect(names).toBe('image,roi,area_px,area_um2,x_px,y_px,left_px,top_px,width_px,height_px,mean_intensity,std_intensity,confidence');
    expect(first).toBe('"a,b.tif",1,6,1.5,1.5,2,1,1,2,3,10,0,0.9');
    expect(tableOf({ ...saved, pxPerUm: null })).not.toContain('um2');
  });
});

describe('the planes of a TIFF', () => {
  it('are those of OME-XML, in its order of axes', () => {
    const text = '<OME><Image><Pixels DimensionOrder="XYZCT" SizeC="2" SizeZ="3" SizeT="1" PhysicalSizeX="250" PhysicalSizeXUnit="nm"><Channel Name="DAPI"/><Channel/></Pixels></Image></OME>';
    const found = describePlanes(text, 6, null);
    expect([found.channels, found.planes, found.pxPerUm]).toEqual([['DAPI', 'Channel 2'], 3, 4]);
    expect([found.directory(0, 2), found.directory(1, 0)]).toEqual([2, 3]);
    expect(describePlanes(text.replace('XYZCT', 'XYCZT'), 6, null).directory(1, 2)).toBe(5);
  });

  it('are those of ImageJ, whose scale is in its unit', () => {
    const found = describePlanes('ImageJ=1.54f\nimages=6\nchannels=2\nslices=3\nunit=micron\n', 6, 8.05);
    expect([found.channels.length, found.planes, found.pxPerUm, found.directory(1, 2)]).toEqual([2, 3, 8.05, 5]);
    expect(describePlanes('ImageJ=1.54f\nunit=inch\n', 1, 72).pxPerUm).toBeNull();
    expect(describePlanes('', 5, 72)).toMatchObject({ planes: 5, pxPerUm: null });
  });
});
