import { describe, expect, it } from 'vitest';
import { dragEnd, heightOf, histogram, placeOn, shareOutside, valueAt } from './histogram';

const floats = (...values: number[]): Float32Array => new Float32Array(values);

describe('a histogram', () => {
  it('counts every finite value once', () => {
    const bars = histogram(floats(0, 0.5, 1, 1, Number.NaN, Number.POSITIVE_INFINITY), 10);
    expect(bars?.counts.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(bars?.most).toBe(2);
    expect(bars && bars.lo < 0 && bars.hi > 1).toBe(true);
  });
  it('has an axis for one value, and none for none', () => {
    const one = histogram(floats(3, 3), 8);
    expect(one && one.lo < 3 && one.hi > 3).toBe(true);
    expect(histogram(floats(0), 8)).not.toBeNull();
    expect(histogram(floats(Number.NaN), 8)).toBeNull();
  });
  it('has places that lead back to values', () => {
    const axis = { lo: -2, hi: 6 };
    expect(valueAt(axis, placeOn(axis, 1))).toBeCloseTo(1);
    expect(placeOn(axis, 99)).toBe(1);
    expect(valueAt(axis, -1)).toBe(-2);
  });
  it('shows single values too', () => {
    expect(heightOf(1, 100)).toBeCloseTo(0.1);
    expect(heightOf(100, 100)).toBe(1);
  });
});

describe('a drag', () => {
  const axis = { lo: -10, hi: 10 };
  it('moves one end and never past the other', () => {
    expect(dragEnd({ lo: -1, hi: 1 }, { end: 'hi', value: 4, mirrored: false, axis })).toEqual({ lo: -1, hi: 4 });
    const crossed = dragEnd({ lo: -1, hi: 1 }, { end: 'lo', value: 5, mirrored: false, axis });
    expect(crossed.lo).toBeLessThan(crossed.hi);
    expect(crossed.hi).toBe(1);
  });
  it('keeps zero in the middle', () => {
    expect(dragEnd({ lo: -1, hi: 1 }, { end: 'lo', value: -3, mirrored: true, axis })).toEqual({ lo: -3, hi: 3 });
    const crossed = dragEnd({ lo: -1, hi: 1 }, { end: 'hi', value: -3, mirrored: true, axis });
    expect(crossed.lo).toBe(-crossed.hi);
    expect(crossed.hi).toBeGreaterThan(0);
  });
});

it('the share outside is one of finite values', () => {
  expect(shareOutside(floats(-2, 0, 1, 2, Number.NaN), { lo: -1, hi: 1 })).toBe(0.5);
  expect(shareOutside(floats(Number.NaN), { lo: 0, hi: 1 })).toBe(0);
});
