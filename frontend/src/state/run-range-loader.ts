/** Asks for the progress while the server computes the range over all steps. The last picture stays meanwhile. */
import { effect } from '@preact/signals';
import { fetchRunRange } from '../api/client';
import { navigation } from './navigation';
import { awaitRunRange, forgetRunRange, takeRunRange } from './numbers';
import { wantedQuery } from './picture-query';
import { pictureRefusal, shownPicture } from './stage';

const FIRST_PAUSE_MS = 250;
const PAUSE_MS = 500;

export function keepRunRangeCurrent(): void {
  effect(() => {
    const query = wantedQuery.value;
    const isSought = navigation.address.value.scope === 'run' && query !== null && shownPicture.value?.query !== query;
    if (!isSought || pictureRefusal.value !== null) {
      forgetRunRange();
      return;
    }
    awaitRunRange();
    const abort = new AbortController();
    let due = setTimeout(() => void ask(), FIRST_PAUSE_MS);
    const ask = async (): Promise<void> => {
      const answer = document.hidden ? null : await fetchRunRange(query, abort.signal);
      if (answer?.kind === 'aborted') return;
      if (answer) takeRunRange(answer);
      due = setTimeout(() => void ask(), PAUSE_MS);
    };
    return () => {
      abort.abort();
      clearTimeout(due);
    };
  });
}
