import { describe, expect, it } from 'vitest';
import {
  type FilmWish,
  filmOptions,
  filmProblem,
  frameCount,
  frameNumbers,
  stillChoices,
  stillOf,
  stillSteps,
} from './film';

const steps = [0, 10, 20, 30, 40];
const wish = (more: Partial<FilmWish> = {}): FilmWish => ({
  over: 'steps',
  from: null,
  to: null,
  every: 1,
  fps: 10,
  format: 'apng',
  stamp: false,
  ...more,
});

describe('a film', () => {
  it('has the frames that lie between', () => {
    for (const [part, expected] of [
      [{}, 5],
      [{ every: 2 }, 3],
      [{ from: 5, to: 30 }, 3],
      [{ from: 10, to: 10 }, 1],
      [{ from: 41 }, 0],
      [{ from: 30, to: 20 }, 0],
    ] as const) {
      expect(frameCount(steps, wish(part)), JSON.stringify(part)).toBe(expected);
    }
  });
  it('says what is wrong with it', () => {
    expect(filmProblem(steps, wish())).toBeNull();
    for (const part of [{ every: 0 }, { every: 1.5 }, { fps: 0 }, { fps: 99 }, { fps: Number.NaN }, { from: 50 }]) {
      expect(filmProblem(steps, wish(part)), JSON.stringify(part)).not.toBeNull();
    }
  });
  it('leaves out what is usual', () => {
    expect(filmOptions(wish(), 7)).toEqual({ fps: 10, format: 'apng' });
    expect(filmOptions(wish({ from: 0, every: 3, stamp: true, fps: 2.505 }), 7)).toEqual({
      from: 0,
      every: 3,
      fps: 2.51,
      format: 'apng',
      stamp: 'step',
    });
  });
  it('runs over the frames of one step', () => {
    const numbers = frameNumbers(8);
    const over = (part: Partial<FilmWish>): FilmWish => wish({ over: 'frames', ...part });
    expect(filmOptions(over({ stamp: true }), 7)).toMatchObject({ over: 'frames', step: 7, stamp: 'frame' });
    expect(frameCount(numbers, over({ from: 2, to: 7, every: 3 }))).toBe(2);
    expect(filmProblem(numbers, over({ to: 8 }))).toBeNull();
    for (const part of [{ from: 0 }, { to: 9 }, { from: 5, to: 3 }]) {
      expect(filmProblem(numbers, over(part)), JSON.stringify(part)).not.toBeNull();
    }
  });
});

describe('stills', () => {
  it('are spread evenly and have both ends', () => {
    expect(stillSteps(steps, 10)).toEqual(steps);
    expect(
      stillSteps(
        Array.from({ length: 101 }, (_, n) => n),
        5,
      ),
    ).toEqual([0, 25, 50, 75, 100]);
    expect(stillSteps([], 5)).toEqual([]);
  });
  it('stand for the steps behind them', () => {
    expect(stillOf([0, 25, 50], 49)).toBe(25);
    expect(stillOf([10], 3)).toBe(10);
  });
  it('are of one tile', () => {
    const address = { sample: 1, slice: null };
    expect(stillChoices(address, 'maps', { channel: 3 })).toMatchObject({ channels: '3', view: 'maps', sample: 1 });
    expect(stillChoices(address, 'matrix', { channel: 3, input: 2 })).toMatchObject({ view: 'slice', slice: 2 });
    expect(stillChoices(address, 'samples', { channel: 3 })).toBeNull();
  });
});
