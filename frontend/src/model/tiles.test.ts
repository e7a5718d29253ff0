import { describe, expect, it } from 'vitest';
import type { Tile } from '../api/types';
import { nameOfTile, placeOfChannel, placeOfTile } from './tiles';

const tile = (index: number, channel: number, input?: number): Tile => ({
  index,
  channel,
  ...(input === undefined ? {} : { input }),
  x: 0,
  y: 0,
  w: 5,
  h: 5,
  constant: false,
});

const sorted = { order: 'norm', tiles: [tile(0, 7), tile(1, 2), tile(2, 4)] };

describe('a tile', () => {
  it('is named by its place where tiles stand by index', () => {
    const sheet = { order: 'index', tiles: [tile(0, 20), tile(1, 3)] };
    expect(placeOfTile(sheet, 1)).toBe(1);
    expect(nameOfTile(sheet, 0)).toBe(0);
    expect(placeOfTile(sheet, 2)).toBeNull();
  });
  it('keeps its name in another order', () => {
    expect(sorted.tiles.map((_, place) => nameOfTile(sorted, place))).toEqual([2, 0, 1]);
    for (const place of [0, 1, 2]) expect(placeOfTile(sorted, nameOfTile(sorted, place))).toBe(place);
    expect(placeOfTile(sorted, 3)).toBeNull();
  });
  it('is found by its channel', () => {
    expect(placeOfChannel(sorted, 4)).toBe(2);
    expect(placeOfChannel(sorted, 5)).toBeNull();
  });
});
