import { describe, expect, it } from 'vitest';
import type { SheetInfo } from '../api/types';
import { oddities, placeOnBar, rgbScale, runHue, sheetAlt, tileName } from './words';

const INFO: SheetInfo = {
  run: 'train',
  tag: 'conv1/weights',
  step: 12000,
  wall_time: null,
  attempt: 0,
  attempts: 1,
  width: 13,
  height: 7,
  cols: 2,
  rows: 1,
  gutter: 1,
  zoom: 1,
  view: 'filters',
  layout: 'HWIO',
  cmap: 'rdbu',
  scope: 'layer',
  constant: false,
  range: { option: 'symmetric', lo: -0.31, hi: 0.31, zero: 0.5, clipped: 0, nan: 2, inf: 0 },
  tiles: [
    { index: 0, channel: 4, x: 1, y: 1, w: 5, h: 5, constant: false },
    { index: 1, channel: 9, input: 2, x: 7, y: 1, w: 5, h: 5, constant: true },
  ],
};

describe('words', () => {
  it('describe the picture by its numbers', () => {
    expect(sheetAlt(INFO)).toBe(
      'conv1/weights of run train at step 12\u2009000: 2 filters of 5×5, rdbu, symmetric range −0.3100 to 0.3100, 2 NaN, 1 constant',
    );
  });
  it('say that each tile has its own scale', () => {
    expect(sheetAlt({ ...INFO, scope: 'tile' })).toContain('each tile on a scale of its own');
  });
  it('name a tile by what it is', () => {
    const name = (view: string): string => tileName({ ...INFO, view }, INFO.tiles[1] as SheetInfo['tiles'][0]);
    expect(['filters', 'matrix', 'maps', 'samples'].map(name)).toEqual([
      'filter 9',
      'filter 9, input 2',
      'channel 9',
      'sample 9',
    ]);
  });
  it('count only what is odd', () => {
    expect(oddities({ ...INFO.range, clipped: 3, nan: 0, inf: 1 })).toBe('3 clipped, 1 inf');
    expect(oddities({ ...INFO.range, nan: 0 })).toBe('');
  });
  it('say what colour means', () => {
    expect(rgbScale(INFO.range)).toBe('mid grey is 0, full colour is ±0.3100');
    expect(rgbScale({ ...INFO.range, option: 'minmax' })).toBe('each channel from −0.3100 (dark) to 0.3100 (full)');
  });
});

describe('the colour bar', () => {
  it.each([
    [0, 0.5],
    [-0.31, 0],
    [9, 1],
    [Number.NaN, null],
    [Infinity, null],
  ])('has %d at %s', (value, place) => {
    expect(placeOnBar(value, INFO.range)).toBe(place);
  });
  it('has a constant in its middle', () => {
    expect(placeOnBar(3, { lo: 3, hi: 3 })).toBe(0.5);
  });
});

describe('the colour of a run', () => {
  it('depends on its name alone', () => {
    expect(runHue('train')).toBe(runHue('train'));
    expect(new Set(['train', 'exp/1', 'exp/2', 'exp/3', 'base'].map(runHue)).size).toBeGreaterThan(2);
  });
});
