/** Loads the picture to compare with, and switches between the two while they blink. */
import { effect, untracked } from '@preact/signals';
import { comparison } from '../model/compare';
import { awaitBeside, besidePicture, compare, forgetBeside, showBlinkOther, takeBeside } from './compare';
import { navigation } from './navigation';
import { loadPicture } from './picture-loader';
import { besideQuery } from './picture-query';
import { calm } from './player';

/** How long each picture stays; longer if the system asks for reduced motion. */
const BLINK_MS = 700;
const CALM_BLINK_MS = 2000;

async function pursue(query: string): Promise<void> {
  awaitBeside();
  const answer = await loadPicture(query);
  if (besideQuery.peek() === query) takeBeside(answer);
}

export function keepBesideCurrent(): void {
  effect(() => {
    const way = comparison(navigation.address.value)?.way;
    if (way !== 'beside' && way !== 'blink') {
      forgetBeside();
      return;
    }
    const query = besideQuery.value;
    if (query !== null) untracked(() => void pursue(query));
  });
  effect(() => {
    showBlinkOther(false);
    if (comparison(navigation.address.value)?.way !== 'blink' || besidePicture.value === null) return;
    const timer = setInterval(
      () => {
        if (!document.hidden) showBlinkOther(!compare.blinkOther.peek());
      },
      calm() ? CALM_BLINK_MS : BLINK_MS,
    );
    return () => clearInterval(timer);
  });
}
