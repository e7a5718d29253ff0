import { describe, expect, it } from 'vitest';
import { indexAtOrBefore, indexAtPlace, isCrowded, nearestStep, notches, placeOf } from './steps';

const LOGGED = [0, 10, 20, 50, 1000];

describe('finding a step', () => {
  it.each([
    [-1, -1],
    [0, 0],
    [9, 0],
    [10, 1],
    [49, 2],
    [999, 3],
    [1000, 4],
    [5000, 4],
  ])('%i lies at or after position %i', (wanted, index) => {
    expect(indexAtOrBefore(LOGGED, wanted)).toBe(index);
  });
  it('agrees with a plain search on many steps', () => {
    const steps = Array.from({ length: 500 }, (_, i) => i * i);
    for (let wanted = -3; wanted < 260_000; wanted += 997) {
      expect(indexAtOrBefore(steps, wanted)).toBe(steps.findLastIndex((step) => step <= wanted));
    }
  });
});

describe('shownStep', () => {
  it('follows the latest where none is wished for', () => {
    expect(nearestStep(LOGGED, null)).toEqual({ index: 4, step: 1000, note: null });
  });
  it('says nothing of a step that is there', () => {
    expect(nearestStep(LOGGED, 20)).toEqual({ index: 2, step: 20, note: null });
  });
  it('says that it went back', () => {
    expect(nearestStep(LOGGED, 49)).toEqual({ index: 2, step: 20, note: 'nearest to 49, at or before' });
  });
  it('says that it went forward to the first', () => {
    expect(nearestStep(LOGGED, -5)).toEqual({ index: 0, step: 0, note: '-5 is before the first logged step' });
  });
  it('has nowhere to go without steps', () => {
    expect(nearestStep([], 3)).toBeNull();
  });
});

describe('the track', () => {
  it.each([true, false])('brings every notch back to itself (even: %s)', (even) => {
    LOGGED.forEach((_, index) => {
      expect(indexAtPlace(LOGGED, placeOf(LOGGED, index, even), even)).toBe(index);
    });
  });
  it('takes the nearer neighbour between two notches', () => {
    expect(indexAtPlace(LOGGED, 0.51, false)).toBe(3);
    expect(indexAtPlace(LOGGED, 0.53, false)).toBe(4);
  });
  it('holds at its ends', () => {
    expect(indexAtPlace(LOGGED, -2, false)).toBe(0);
    expect(indexAtPlace(LOGGED, 2, true)).toBe(4);
  });
  it('stands still with one step', () => {
    expect(placeOf([7], 0, false)).toBe(0);
    expect(indexAtPlace([7], 0.9, false)).toBe(0);
  });
  it('is crowded by steps that double, not by even ones', () => {
    expect(isCrowded(Array.from({ length: 16 }, (_, i) => 2 ** i))).toBe(true);
    expect(isCrowded(Array.from({ length: 100 }, (_, i) => i * 10))).toBe(false);
  });
  it('never draws two notches on one place', () => {
    const places = notches(
      Array.from({ length: 10_000 }, (_, i) => i),
      false,
      600,
    );
    expect(places.length).toBeLessThanOrEqual(201);
    expect(places[0]).toBe(0);
  });
});
