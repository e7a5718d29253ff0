import { describe, expect, it } from 'vitest';
import type { Tile } from '../api/types';
import { extent, fittingZoom, hit, nearest, neighbour, pixelValues, step, tileValues } from './geometry';

/** A sheet with one pixel of gutter between and around, as the server lays it out. */
function sheet(count: number, cols: number, w: number, h: number): Tile[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    channel: index,
    x: 1 + (index % cols) * (w + 1),
    y: 1 + Math.floor(index / cols) * (h + 1),
    w,
    h,
    constant: false,
  }));
}

describe('zoom', () => {
  it.each([
    [1000, 800, 1, 16],
    [1000, 800, 2, 32],
    [40, 40, 1, 1],
    [9999, 9999, 1, 64],
  ])('in a room of %i x %i at %i device pixels is %i', (width, height, devicePixels, zoom) => {
    expect(fittingZoom({ width: 49, height: 49 }, { width, height }, devicePixels)).toBe(zoom);
  });
});

describe('hit', () => {
  it.each([
    [64, 8, 5, 5],
    [7, 3, 3, 4],
    [1, 1, 2, 9],
    [3, 1, 4, 2],
    [5, 5, 1, 1],
  ])('finds every pixel of %i tiles in %i columns of %i x %i, and no gutter', (count, cols, w, h) => {
    const tiles = sheet(count, cols, w, h);
    const rows = Math.ceil(count / cols);
    let found = 0;
    for (let y = 0; y < rows * (h + 1) + 1; y++) {
      for (let x = 0; x < cols * (w + 1) + 1; x++) {
        const spot = hit(tiles, cols, x + 0.5, y + 0.5);
        if (!spot) continue;
        const tile = tiles[spot.tile] as Tile;
        expect([tile.x + spot.col, tile.y + spot.row]).toEqual([x, y]);
        found++;
      }
    }
    expect(found).toBe(count * w * h);
  });
  it('finds nothing outside', () => {
    const tiles = sheet(4, 2, 3, 3);
    for (const [x, y] of [
      [-1, 2],
      [2, -1],
      [99, 2],
      [2, 99],
      [0, 0],
    ] as const)
      expect(hit(tiles, 2, x, y)).toBeNull();
    expect(hit([], 1, 0, 0)).toBeNull();
  });
});

describe('the nearest tile', () => {
  const tiles = sheet(5, 3, 3, 3);
  it('is the one under a pixel', () => {
    for (let y = 0; y < 9; y++) {
      for (let x = 0; x < 13; x++) {
        const spot = hit(tiles, 3, x + 0.5, y + 0.5);
        if (spot) expect(nearest(tiles, x + 0.5, y + 0.5)).toEqual(spot);
      }
    }
  });
  it.each([
    [4.2, 2.5, 0],
    [4.8, 2.5, 1],
    [2.5, 4.9, 3],
    [0, 0, 0],
    [12.9, 2, 2],
    [11, 8, 4],
  ])('of a gutter at %f, %f is %i', (x, y, place) => {
    expect(nearest(tiles, x, y)?.tile).toBe(place);
  });
  it('is none where there is none', () => {
    expect(nearest([], 1, 1)).toBeNull();
  });
});

describe('moving', () => {
  it.each([
    [0, 'left', 0],
    [0, 'right', 1],
    [0, 'up', 0],
    [0, 'down', 3],
    [2, 'right', 2],
    [4, 'down', 4],
    [3, 'down', 6],
    [6, 'right', 6],
  ] as const)('from tile %i %s to %i, in seven tiles of three columns', (from, arrow, to) => {
    expect(neighbour(from, arrow, 7, 3)).toBe(to);
  });
  it('stays within the tile pixel by pixel', () => {
    const corner = { tile: 2, row: 0, col: 0 };
    expect(step(corner, 'up', { w: 2, h: 2 })).toEqual(corner);
    expect(step(corner, 'right', { w: 2, h: 2 })).toEqual({ tile: 2, row: 0, col: 1 });
    expect(step({ tile: 2, row: 1, col: 1 }, 'down', { w: 2, h: 2 })).toEqual({ tile: 2, row: 1, col: 1 });
  });
});

describe('values', () => {
  const floats = { shape: [2, 2, 3], data: Float32Array.from({ length: 12 }, (_, i) => i) };
  it('are taken by tile, row and column', () => {
    const second = tileValues(floats, 1);
    expect(second && pixelValues(second, 1, 2)).toEqual([11]);
    expect(second && pixelValues(second, 0, 0)).toEqual([6]);
    expect(second && pixelValues(second, 2, 0)).toEqual([]);
    expect(tileValues(floats, 2)).toBeNull();
  });
  it('come in threes with colour', () => {
    const colour = tileValues({ shape: [1, 2, 2, 3], data: floats.data }, 0);
    expect(colour && pixelValues(colour, 1, 0)).toEqual([6, 7, 8]);
  });
  it('leave NaN and infinities out of their extent', () => {
    expect(extent(Float32Array.of(2, Number.NaN, -1, Infinity))).toEqual({ lo: -1, hi: 2 });
    expect(extent(Float32Array.of(Number.NaN))).toBeNull();
  });
});
