/** Where tiles and pixels lie. Sheet pixels unless a name says otherwise. */
import type { Tile } from '../api/types';

/** The largest whole number of device pixels for one sheet pixel with which the sheet fits; at least 1. */
export function fittingZoom(
  sheet: { width: number; height: number },
  room_css_px: { width: number; height: number },
  devicePixels: number,
): number {
  const across = (room_css_px.width * devicePixels) / sheet.width;
  const down = (room_css_px.height * devicePixels) / sheet.height;
  return Math.max(1, Math.min(MAX_ZOOM, Math.floor(Math.min(across, down))));
}

export const MAX_ZOOM = 64;

/** A pixel of a tile: `row` and `col` count from the tile's own corner. */
export interface Spot {
  tile: number;
  row: number;
  col: number;
}

/** The pixel under a point of the sheet; null on a gutter. Tiles lie in a grid, row by row, so no search is needed. */
export function hit(tiles: readonly Tile[], cols: number, x: number, y: number): Spot | null {
  const first = tiles[0];
  if (!first) return null;
  const second = tiles[1];
  const below = tiles[cols];
  const pitchX = cols > 1 && second ? second.x - first.x : first.w + 1;
  const pitchY = below ? below.y - first.y : first.h + 1;
  const column = Math.floor((x - first.x) / pitchX);
  if (column < 0 || column >= cols) return null;
  const place = Math.floor((y - first.y) / pitchY) * cols + column;
  const tile = tiles[place];
  if (!tile) return null;
  const col = Math.floor(x - tile.x);
  const row = Math.floor(y - tile.y);
  return col >= 0 && row >= 0 && col < tile.w && row < tile.h ? { tile: place, row, col } : null;
}

/** The pixel that is nearest to a point of the sheet, which may lie on a gutter; null where there are no tiles. */
export function nearest(tiles: readonly Tile[], x: number, y: number): Spot | null {
  let found: Spot | null = null;
  let least = Number.POSITIVE_INFINITY;
  tiles.forEach((tile, place) => {
    const col = clamp(Math.floor(x - tile.x), tile.w);
    const row = clamp(Math.floor(y - tile.y), tile.h);
    // Measured to the middle of the pixel, so that a point on a border is not in two tiles.
    const distance = (x - tile.x - col - 0.5) ** 2 + (y - tile.y - row - 0.5) ** 2;
    if (distance >= least) return;
    least = distance;
    found = { tile: place, row, col };
  });
  return found;
}

const clamp = (value: number, size: number): number => Math.min(size - 1, Math.max(0, value));

export type Arrow = 'left' | 'right' | 'up' | 'down';

/** The neighbour of a tile; at an edge the tile itself. */
export function neighbour(place: number, arrow: Arrow, count: number, cols: number): number {
  const column = place % cols;
  const next = { left: place - 1, right: place + 1, up: place - cols, down: place + cols }[arrow];
  if (arrow === 'left' && column === 0) return place;
  if (arrow === 'right' && column === cols - 1) return place;
  return next < 0 || next >= count ? place : next;
}

/** The neighbour of a pixel within its tile. */
export function step(spot: Spot, arrow: Arrow, tile: { w: number; h: number }): Spot {
  const [dx, dy] = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }[arrow] as [number, number];
  return { tile: spot.tile, row: clamp(spot.row + dy, tile.h), col: clamp(spot.col + dx, tile.w) };
}

/** Values of one tile out of [tiles, h, w] or [tiles, h, w, 3]. */
export interface TileValues {
  h: number;
  w: number;
  depth: number;
  data: Float32Array;
}

export function tileValues(floats: { shape: number[]; data: Float32Array }, tile: number): TileValues | null {
  const [tiles = 0, h = 0, w = 0, depth = 1] = floats.shape;
  if (tile < 0 || tile >= tiles) return null;
  const size = h * w * depth;
  return { h, w, depth, data: floats.data.subarray(tile * size, (tile + 1) * size) };
}

/** The one to three numbers of a pixel. */
export function pixelValues(values: TileValues, row: number, col: number): number[] {
  if (row >= values.h || col >= values.w) return [];
  const start = (row * values.w + col) * values.depth;
  return [...values.data.subarray(start, start + values.depth)];
}

/** Smallest and largest finite value; null where there is none. */
export function extent(data: Float32Array): { lo: number; hi: number } | null {
  let lo = Number.POSITIVE_INFINITY;
  let hi = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    if (value < lo) lo = value;
    if (value > hi) hi = value;
  }
  return lo <= hi ? { lo, hi } : null;
}
