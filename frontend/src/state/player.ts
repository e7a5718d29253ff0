/** Plays the steps in order, and waits for the picture of each. */
import { effect } from '@preact/signals';
import { goToIndex } from './actions';
import { currentSteps, shownStep } from './lists';
import { wantedQuery } from './picture-query';
import { playback, startPlaying, stopPlaying } from './playback';
import { shownPicture } from './stage';

/** The greatest speed if the system asks for reduced motion. */
const CALM_SPEED = 2;

export const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** How many pictures are shown per second. */
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
