/** Which steps or frames a film has, and which steps the strip of stills shows. */
import type { Address } from './address';
import { indexAtOrBefore } from './steps';

/** The file formats of a film, each with one remark. */
export const FORMATS = [
  { name: 'apng', words: 'APNG: every pixel as it is' },
  { name: 'webp', words: 'WebP: every pixel as it is, smaller' },
  { name: 'gif', words: 'GIF: at most 256 colours, plays everywhere' },
] as const;

export interface FilmWish {
  /** Over the steps, or the frames of animated pictures, which are numbered from 1. */
  over: 'steps' | 'frames';
  /** null: the first that was logged. */
  from: number | null;
  /** null: the latest. */
  to: number | null;
  /** Every Nth of the logged steps in between; at least 1. */
  every: number;
  fps: number;
  format: string;
  /** The step, or the number of the frame, is written above each sheet. */
  stamp: boolean;
}

/** The numbers of the frames, from 1. */
export const frameNumbers = (of: number): number[] => Array.from({ length: of }, (_, before) => before + 1);

/** How many frames the film will have, from the steps that are known, or the numbers of the frames. */
export function frameCount(steps: readonly number[], { from, to, every }: FilmWish): number {
  const first = from === null ? 0 : indexAtOrBefore(steps, from - 1) + 1;
  const last = to === null ? steps.length - 1 : indexAtOrBefore(steps, to);
  return last < first ? 0 : Math.floor((last - first) / every) + 1;
}

/** Why such a film cannot be made; null if it can. `step` is what one of the steps is called. */
export function filmProblem(steps: readonly number[], wish: FilmWish, step = 'step'): string | null {
  if (!Number.isInteger(wish.every) || wish.every < 1) return 'every is a whole number from 1 on';
  if (!(wish.fps >= 0.1 && wish.fps <= 60)) return 'a second has 0.1 to 60 pictures';
  const isOutside = [wish.from, wish.to].some((end) => end !== null && !steps.includes(end));
  if (wish.over === 'frames' && isOutside) return `frames are numbered from 1 to ${steps.length}`;
  if (frameCount(steps, wish) === 0)
    return `no ${wish.over === 'frames' ? 'frame is' : `${step} was logged`} between these`;
  return null;
}

/** The options of a film that go along with those of the picture; `step` is the one whose frames are shown. */
export function filmOptions(wish: FilmWish, step: number): Record<string, string | number | undefined> {
  const isOverFrames = wish.over === 'frames';
  return {
    over: isOverFrames ? 'frames' : undefined,
    // Which frames are tiles of the sheet is another choice than which the film shows.
    ...(isOverFrames ? { frames: undefined } : {}),
    step: isOverFrames ? step : undefined,
    from: wish.from ?? undefined,
    to: wish.to ?? undefined,
    every: wish.every === 1 ? undefined : wish.every,
    fps: Math.round(wish.fps * 100) / 100,
    format: wish.format,
    stamp: wish.stamp ? (isOverFrames ? 'frame' : 'step') : undefined,
  };
}

/** At most `most` steps at even distances in the list, with the first and the last, ascending and without repeats. */
export function stillSteps(steps: readonly number[], most: number): number[] {
  const last = steps.length - 1;
  if (steps.length <= most) return [...steps];
  const places = Array.from({ length: most }, (_, place) => Math.round((place * last) / (most - 1)));
  return places.map((place) => steps[place] as number);
}

/** The step of the still that represents a step: the last at or before it. */
export function stillOf(stills: readonly number[], step: number): number | null {
  return stills[Math.max(0, indexAtOrBefore(stills, step))] ?? null;
}

/** The choices for a picture of one channel in the chosen view; null if the view has no such picture. */
export function stillChoices(
  address: Pick<Address, 'sample' | 'slice'>,
  view: string,
  tile: { channel: number; input?: number },
): Record<string, string | number | undefined> | null {
  const one = { channels: String(tile.channel), cols: 1, gutter: 0 };
  if (view === 'image' || view === 'samples') return null;
  if (view === 'matrix') return { ...one, view: 'slice', slice: tile.input ?? 0 };
  return { ...one, view, slice: address.slice ?? undefined, sample: address.sample ?? undefined };
}
