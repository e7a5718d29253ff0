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

/** Numbers of frames as they are chosen: those from the first to the last, with a stride where they have one. */
export function framesText(numbers: readonly number[]): string {
  const [first, second] = numbers;
  const last = numbers.at(-1);
  if (first === undefined || second === undefined || last === undefined) return numbers.join(',');
  const every = second - first;
  const isRegular = numbers.every((number, at) => number === first + at * every);
  if (!isRegular) return numbers.join(',');
  return every === 1 ? `${first}-${last}` : `${first}-${last}/${every}`;
}

/** How many frames each picture of a sheet has; null for stills, and where one has more than another. */
export function framesOfAll({ tiles }: Pick<SheetInfo, 'tiles'>): number | null {
  const counts = new Set(tiles.map((tile) => tile.frame?.of ?? null));
  return counts.size === 1 ? ([...counts][0] ?? null) : null;
}
