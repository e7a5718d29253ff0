/** Plays the steps in order, and never runs ahead of the picture. */
import { effect } from '@preact/signals';
import { goToIndex } from './actions';
import { currentSteps, shownStep } from './lists';
import { wantedQuery } from './picture-query';
import { playback, startPlaying, stopPlaying } from './playback';
import { shownPicture } from './stage';

/** With reduced motion asked for, pictures change no faster than this. */
const CALM_SPEED = 2;

export const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** How many pictures a second are shown. */
export const calmSpeed = (): number => (calm() ? Math.min(CALM_SPEED, playback.speed.value) : playback.speed.value);

export function togglePlay(): void {
  if (playback.playing.peek()) {
    stopPlaying();
    return;
  }
  const at = shownStep.peek();
  const steps = currentSteps.peek();
  if (!at || steps.length < 2) return;
  if (at.index === steps.length - 1) goToIndex(0);
  startPlaying();
}

function advance(): void {
  const at = shownStep.peek();
  if (!at || document.hidden) return;
  if (shownPicture.peek()?.query !== wantedQuery.peek()) return;
  if (at.index >= currentSteps.peek().length - 1) stopPlaying();
  else goToIndex(at.index + 1);
}

export function keepPlaying(): void {
  effect(() => {
    if (!playback.playing.value) return;
    const timer = setInterval(advance, 1000 / calmSpeed());
    return () => clearInterval(timer);
  });
}
