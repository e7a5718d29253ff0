import { describe, expect, it } from 'vitest';
import type { Tile } from '../api/types';
import { framePlaces, framesOfAll, framesText } from './frames';

const tile = (index: number, frame?: Tile['frame']): Tile => ({
  index,
  channel: index,
  ...(frame ? { frame } : {}),
  x: 0,
  y: 0,
  w: 1,
  h: 1,
  constant: false,
});

describe('frames', () => {
  it('are found in their order, wherever their tiles stand', () => {
    const tiles = [3, 1, 2].map((number, index) => tile(index, { number, of: 3 }));
    expect(framePlaces(tiles, tiles[0] as Tile)).toEqual([1, 2, 0]);
  });
  it('are those of one picture', () => {
    const tiles = [0, 0, 1].map((picture, index) => tile(index, { picture, number: (index % 2) + 1, of: 2 }));
    expect(framePlaces(tiles, tiles[1] as Tile)).toEqual([0, 1]);
    expect(framePlaces(tiles, tiles[2] as Tile)).toEqual([2]);
  });
  it('are found where others are left out', () => {
    const tiles = [7, 1, 4].map((number, index) => tile(index, { number, of: 9 }));
    expect(framePlaces(tiles, tiles[0] as Tile)).toEqual([1, 2, 0]);
  });
  it('are written as they are chosen', () => {
    expect(framesText([1, 2, 3])).toBe('1-3');
    expect(framesText([1, 5, 9])).toBe('1-9/4');
    expect(framesText([1, 2, 9])).toBe('1,2,9');
    expect(framesText([4])).toBe('4');
    expect(framesText([])).toBe('');
  });
  it('are none of a still', () => {
    const tiles = [tile(0), tile(1)];
    expect(framePlaces(tiles, tiles[0] as Tile)).toEqual([]);
    expect(framesOfAll({ tiles })).toBeNull();
  });
  it('are as many in each picture, or are not counted', () => {
    expect(framesOfAll({ tiles: [tile(0, { number: 1, of: 2 }), tile(1, { number: 2, of: 2 })] })).toBe(2);
    expect(framesOfAll({ tiles: [tile(0, { number: 1, of: 2 }), tile(1, { number: 1, of: 1 })] })).toBeNull();
    expect(framesOfAll({ tiles: [] })).toBeNull();
  });
});
