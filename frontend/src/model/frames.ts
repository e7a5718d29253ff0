/** Frames of animated pictures among the tiles of a sheet. */
import type { SheetInfo, Tile } from '../api/types';

/** The places of all frames of the picture that a tile is a frame of, in their order; empty where it is of a still. */
export function framePlaces(tiles: readonly Tile[], of: Tile): number[] {
  const { frame } = of;
  if (!frame) return [];
  const places: number[] = [];
  tiles.forEach((tile, place) => {
    if (tile.frame && tile.frame.picture === frame.picture) places[tile.frame.number - 1] = place;
  });
  return places.filter((place) => place !== undefined);
}

/** How many frames each picture of a sheet has; null for stills, and where one has more than another. */
export function framesOfAll({ tiles }: Pick<SheetInfo, 'tiles'>): number | null {
  const counts = new Set(tiles.map((tile) => tile.frame?.of ?? null));
  return counts.size === 1 ? ([...counts][0] ?? null) : null;
}
