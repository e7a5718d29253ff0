/** The index above each tile, in the gutter. */
import type { SheetInfo, Tile } from '../api/types';

/**
 * The gutter that gives room for labels at the zoom with which a sheet of such tiles is usually seen, in sheet pixels. Small tiles
 * are seen so large that one pixel is enough.
 */
export const labelGutter = (tile_h: number): number => (tile_h <= 8 ? 1 : Math.min(24, Math.ceil(tile_h / 5)));

/** `17`, and `3,17` where a tile is of an input channel, or a frame of one of several pictures. */
export function labelText({ channel, input, frame }: Tile): string {
  if (input !== undefined) return `${input},${channel}`;
  if (!frame) return String(channel);
  return frame.picture === undefined ? String(frame.number) : `${frame.picture},${frame.number}`;
}

/** Smaller digits cannot be read. */
const SMALLEST_PX = 7;
const LARGEST_PX = 13;
/** A digit is about so wide, in its own height. */
const DIGIT_WIDTH = 0.62;
/** More are a wall of numbers, and slow. */
const MOST = 1500;

/** Height of the digits in CSS pixels with which all labels have room; null where they have none. */
export function labelSize(info: Pick<SheetInfo, 'gutter' | 'tiles'>, zoom: number): number | null {
  const first = info.tiles[0];
  if (!first || info.tiles.length > MOST) return null;
  const longest = Math.max(...info.tiles.map((tile) => labelText(tile).length));
  const wide = ((first.w + info.gutter) * zoom) / (longest * DIGIT_WIDTH + 0.4);
  const size = Math.min(LARGEST_PX, info.gutter * zoom * 0.95, wide);
  return size >= SMALLEST_PX ? size : null;
}
