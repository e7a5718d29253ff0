/** Keeps the picture beside the stage's, and lets both take turns while they blink. */
import { effect, untracked } from '@preact/signals';
import { comparison } from '../model/compare';
import { loadPicture } from './picture-loader';
import { besideQuery } from './picture-query';
import { calm } from './player';
import { state } from './store';

/** Each picture stays so long; slower where motion is not wished for. */
const BLINK_MS = 700;
const CALM_BLINK_MS = 2000;

async function pursue(query: string): Promise<void> {
  const answer = await loadPicture(query);
  if (besideQuery.peek() !== query) return;
  if (answer.kind === 'ok') {
    state.besideProblem.value = null;
    state.beside.value = answer.value;
  } else if (answer.kind === 'refused') {
    state.beside.value = null;
    state.besideProblem.value = answer.message;
  }
}

export function keepBesideCurrent(): void {
  effect(() => {
    const way = comparison(state.address.value)?.way;
    if (way !== 'beside' && way !== 'blink') {
      state.beside.value = null;
      state.besideProblem.value = null;
      return;
    }
    const query = besideQuery.value;
    if (query !== null) untracked(() => void pursue(query));
  });
  effect(() => {
    state.blinkOther.value = false;
    if (comparison(state.address.value)?.way !== 'blink' || state.beside.value === null) return;
    const timer = setInterval(
      () => {
        if (!document.hidden) state.blinkOther.value = !state.blinkOther.peek();
      },
      calm() ? CALM_BLINK_MS : BLINK_MS,
    );
    return () => clearInterval(timer);
  });
}
