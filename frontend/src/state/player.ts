/** Plays the steps in order, and never runs ahead of the picture. */
import { effect } from '@preact/signals';
import { goToIndex } from './actions';
import { wantedQuery } from './picture-query';
import { currentSteps, landing, state } from './store';

export const SPEEDS: readonly number[] = [1, 2, 5, 10, 15, 30];

/** With reduced motion asked for, pictures change no faster than this. */
const CALM_SPEED = 2;

export const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** How many pictures a second are shown. */
export const calmSpeed = (): number => (calm() ? Math.min(CALM_SPEED, state.speed.value) : state.speed.value);

export function togglePlay(): void {
  if (state.playing.peek()) {
    state.playing.value = false;
    return;
  }
  const at = landing.peek();
  const steps = currentSteps.peek();
  if (!at || steps.length < 2) return;
  if (at.index === steps.length - 1) goToIndex(0);
  state.playing.value = true;
}

function advance(): void {
  const at = landing.peek();
  if (!at || document.hidden) return;
  if (state.picture.peek()?.query !== wantedQuery.peek()) return;
  if (at.index >= currentSteps.peek().length - 1) state.playing.value = false;
  else goToIndex(at.index + 1);
}

export function keepPlaying(): void {
  effect(() => {
    if (!state.playing.value) return;
    const timer = setInterval(advance, 1000 / calmSpeed());
    return () => clearInterval(timer);
  });
}
