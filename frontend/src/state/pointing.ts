/** State: the value on the sheet that the pointer or the keyboard points at. */
import type { Spot } from '../model/geometry';
import { fields, type Readings } from './group';

export type Cursor = Spot & { by: 'pointer' | 'keys' };

interface Pointing {
  /** Null while nothing is pointed at. */
  cursor: Cursor | null;
}

const own = fields<Pointing>({ cursor: null });
export const pointing: Readings<Pointing> = own;

export function pointAt(spot: Spot | null, by: Cursor['by']): void {
  own.cursor.value = spot && { ...spot, by };
}

export function clearCursor(): void {
  own.cursor.value = null;
}

/** The pointer has left the sheet; what the keyboard points at stays. */
export function leaveSheet(): void {
  if (own.cursor.peek()?.by === 'pointer') own.cursor.value = null;
}

/** The same value of the tile that now stands at another place; null where that tile is not drawn. */
export function moveCursorToTile(place: number | null): void {
  const cursor = own.cursor.peek();
  if (cursor) own.cursor.value = place === null ? null : { ...cursor, tile: place };
}
