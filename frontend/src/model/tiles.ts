/**
 * Tiles by content and by position. The address names a tile by its position in the order of the
 * index, so that another order, or another step in that order, keeps the chosen filter.
 */
import type { SheetInfo, Tile } from '../api/types';

type Sheet = Pick<SheetInfo, 'tiles' | 'order'>;

/** Whether tiles stand in the order of the index. */
export const isInOrder = ({ order }: Sheet): boolean => order === undefined || order === 'index';

const byIndex = (a: Tile, b: Tile): number => (a.input ?? 0) - (b.input ?? 0) || a.channel - b.channel;

/** Where a named tile stands on the sheet; null where there is none. */
export function placeOfTile(sheet: Sheet, name: number): number | null {
  if (isInOrder(sheet)) return name < sheet.tiles.length ? name : null;
  const named = [...sheet.tiles].sort(byIndex)[name];
  return named ? sheet.tiles.indexOf(named) : null;
}

/** The name of the tile at a place of the sheet. */
export function nameOfTile(sheet: Sheet, place: number): number {
  const tile = sheet.tiles[place];
  if (isInOrder(sheet) || !tile) return place;
  return [...sheet.tiles].sort(byIndex).indexOf(tile);
}

/** The place of a filter or channel; null where it is not drawn. */
export function placeOfChannel(sheet: Sheet, channel: number): number | null {
  const place = sheet.tiles.findIndex((tile) => tile.channel === channel);
  return place < 0 ? null : place;
}
