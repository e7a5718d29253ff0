/** While the range over all steps is sought, asks how far it is. The picture that was on show stays meanwhile. */
import { effect } from '@preact/signals';
import { fetchRunRange } from '../api/client';
import { wantedQuery } from './picture-query';
import { state } from './store';

const FIRST_PAUSE_MS = 250;
const PAUSE_MS = 500;

export function keepRunRangeCurrent(): void {
  effect(() => {
    const query = wantedQuery.value;
    const isSought = state.address.value.scope === 'run' && query !== null && state.picture.value?.query !== query;
    if (!isSought || state.pictureProblem.value !== null) {
      state.runRange.value = null;
      return;
    }
    const abort = new AbortController();
    let due = setTimeout(() => void ask(), FIRST_PAUSE_MS);
    const ask = async (): Promise<void> => {
      const answer = document.hidden ? null : await fetchRunRange(query, abort.signal);
      if (answer?.kind === 'aborted') return;
      if (answer?.kind === 'ok') state.runRange.value = answer.value;
      due = setTimeout(() => void ask(), PAUSE_MS);
    };
    return () => {
      abort.abort();
      clearTimeout(due);
    };
  });
}
