/** The index above each tile, in the gutter. */
import type { SheetInfo, Tile } from '../api/types';

/**
 * The width in sheet pixels of a gutter with room for labels, at the zoom at which such tiles are usually shown. Small tiles
 * are enlarged so much that one pixel is enough.
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
/** The approximate width of a digit, in units of its height. */
const DIGIT_WIDTH = 0.62;
/** More labels cannot be read and are slow. */
const MOST = 1500;

/** Height of the digits in CSS pixels at which all labels fit; null if none fits. */
export function labelSize(info: Pick<SheetInfo, 'gutter' | 'tiles'>, zoom: number): number | null {
  const first = info.tiles[0];
  if (!first || info.tiles.length > MOST) return null;
  const longest = Math.max(...info.tiles.map((tile) => labelText(tile).length));
  const wide = ((first.w + info.gutter) * zoom) / (longest * DIGIT_WIDTH + 0.4);
  const size = Math.min(LARGEST_PX, info.gutter * zoom * 0.95, wide);
  return size >= SMALLEST_PX ? size : null;
}
