/** In TensorBoard's tab: whether TensorBoard is dark, and its list of runs, whose order gives their colours. */
import { fetchHostRuns } from '../api/client';
import { awaitHostRuns, setHostDark, takeHostRuns } from './surroundings';

/** The window of the TensorBoard around this page; null if there is none or the browser denies access. */
function tensorBoard(): Window | null {
  for (let here: Window = window; here !== here.parent; ) {
    here = here.parent;
    try {
      if (here.document.querySelector('tb-webapp') !== null) return here;
    } catch {
      // A page of another site, whose parents cannot be read either.
      return null;
    }
  }
  return null;
}

const isDark = (board: Window): boolean => board.document.body.classList.contains('dark-mode');

export function followHost(): void {
  const board = tensorBoard();
  if (!board) return;
  const look = (): void => setHostDark(isDark(board));
  look();
  const observer = new MutationObserver(look);
  observer.observe(board.document.body, { attributeFilter: ['class'] });
  window.addEventListener('pagehide', () => observer.disconnect());
  awaitHostRuns();
  void fetchHostRuns().then(takeHostRuns);
}
