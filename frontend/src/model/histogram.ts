/** How values are spread, and what dragging an end of a range does. */
import { extent } from './geometry';

export interface Histogram {
  /** The axis, in the unit of the values; `lo < hi`. */
  lo: number;
  hi: number;
  counts: number[];
  /** The greatest count; at least 1. */
  most: number;
}

/** Free room on both sides of the values, as a share of their span, so that a handle can be dragged outwards. */
const ROOM = 0.15;

/** Counts the finite values in even bins over their extent and some room; null where there are none. */
export function histogram(data: Float32Array, n_bins: number): Histogram | null {
  const ends = extent(data);
  if (ends === null) return null;
  const { lo, hi } = ends;
  const span = hi - lo || Math.abs(hi) || 1;
  const axis = { lo: lo - ROOM * span, hi: hi + ROOM * span };
  const counts = new Array<number>(n_bins).fill(0);
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    const bin = Math.min(n_bins - 1, Math.floor(((value - axis.lo) / (axis.hi - axis.lo)) * n_bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { ...axis, counts, most: Math.max(1, ...counts) };
}

/** Height of a bin in [0, 1]: the root, as a few values far out are what a range is set for. */
export const heightOf = (count: number, most: number): number => Math.sqrt(count / most);

/** Place of a value on the axis in [0, 1]; values beyond an end stand at it. */
export function placeOn(axis: { lo: number; hi: number }, value: number): number {
  return Math.min(1, Math.max(0, (value - axis.lo) / (axis.hi - axis.lo)));
}

export const valueAt = (axis: { lo: number; hi: number }, place: number): number =>
  axis.lo + Math.min(1, Math.max(0, place)) * (axis.hi - axis.lo);

export type End = 'lo' | 'hi';

/** The smallest distance of both ends, as a share of the axis. */
const LEAST_SPAN = 0.002;

/**
 * The range after one end was dragged to a value. `mirrored` keeps zero in the middle; otherwise the other end stays where it
 * is and cannot be passed.
 */
export function dragEnd(
  range: { lo: number; hi: number },
  drag: { end: End; value: number; mirrored: boolean; axis: { lo: number; hi: number } },
): { lo: number; hi: number } {
  const least = LEAST_SPAN * (drag.axis.hi - drag.axis.lo);
  if (drag.mirrored) {
    const size = Math.max(least / 2, drag.end === 'lo' ? -drag.value : drag.value);
    return { lo: -size, hi: size };
  }
  if (drag.end === 'lo') return { lo: Math.min(drag.value, range.hi - least), hi: range.hi };
  return { lo: range.lo, hi: Math.max(drag.value, range.lo + least) };
}

/** The share of finite values outside a range. */
export function shareOutside(data: Float32Array, range: { lo: number; hi: number }): number {
  let outside = 0;
  let finite = 0;
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    finite++;
    if (value < range.lo || value > range.hi) outside++;
  }
  return finite === 0 ? 0 : outside / finite;
}
