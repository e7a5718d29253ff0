/** State: what plays, how fast, and how the steps stand on the track. */
import { computed } from '@preact/signals';
import { fields, type Readings } from './group';
import { lists } from './lists';

interface Playback {
  /** The steps are shown one after another. */
  playing: boolean;
  /** The frames of the opened picture are shown one after another. */
  playingFrames: boolean;
  /** Steps or frames per second. */
  speed: number;
  /** Whether the notches of the track stand at equal distances instead of by their step; null: whatever suits the series. */
  evenNotches: boolean | null;
  /**
   * The series (`seriesKey`) whose notches would lie on each other if they stood by their step. Once found, it holds while
   * that series is on show, so that the track does not jump to and fro as it grows.
   */
  crowdedSeries: string | null;
}

const own = fields<Playback>({
  playing: false,
  playingFrames: false,
  speed: 5,
  evenNotches: null,
  crowdedSeries: null,
});
export const playback: Readings<Playback> = own;

/** Whether the notches stand at equal distances. */
export const even = computed<boolean>(() => {
  const crowded = own.crowdedSeries.value;
  return own.evenNotches.value ?? (crowded !== null && crowded === lists.steps.value.of);
});

export const SPEEDS: readonly number[] = [1, 2, 5, 10, 15, 30];

export function startPlaying(): void {
  own.playing.value = true;
}

export function stopPlaying(): void {
  own.playing.value = false;
}

export function startFrames(): void {
  own.playingFrames.value = true;
}

export function stopFrames(): void {
  own.playingFrames.value = false;
}

export function setSpeed(perSecond: number): void {
  own.speed.value = perSecond;
}

export function setEvenNotches(even: boolean): void {
  own.evenNotches.value = even;
}

export function markCrowded(series: string | null): void {
  own.crowdedSeries.value = series;
}
