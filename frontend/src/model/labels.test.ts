import { describe, expect, it } from 'vitest';
import type { Tile } from '../api/types';
import { labelGutter, labelSize, labelText } from './labels';

const tile = (channel: number, more: Partial<Tile> = {}): Tile => ({
  index: 0,
  channel,
  x: 0,
  y: 0,
  w: 5,
  h: 5,
  constant: false,
  ...more,
});

describe('labels', () => {
  it('say which filter, and of which input', () => {
    expect(labelText(tile(17))).toBe('17');
    expect(labelText(tile(17, { input: 3 }))).toBe('3,17');
  });
  it('get a gutter that grows with the tiles', () => {
    expect([1, 5, 8, 16, 64, 500].map(labelGutter)).toEqual([1, 1, 1, 4, 13, 24]);
  });
  it('are as large as they fit, and not there where they could not be read', () => {
    const tiles = [tile(3), tile(63)];
    expect(labelSize({ gutter: 1, tiles }, 11)).toBeCloseTo(10.45);
    expect(labelSize({ gutter: 1, tiles }, 40)).toBe(13);
    expect(labelSize({ gutter: 1, tiles }, 4)).toBeNull();
    expect(labelSize({ gutter: 1, tiles: [] }, 11)).toBeNull();
  });
});
