/** The live stream: opens, reconnects after growing pauses, and is closed while the tab is hidden. */
import type { Answers } from './schema';
import type { Revision } from './types';

export type Connection = 'connecting' | 'open' | 'lost' | 'paused';

export interface LiveHandlers {
  connection(state: Connection): void;
  /** A revision came. `first` marks the one that is sent at once after every connect. */
  revision(revision: Revision, first: boolean): void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

export function openLive(handlers: LiveHandlers): void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause_ms = FIRST_PAUSE_MS;

  const stop = (): void => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };

  const start = (): void => {
    stop();
    let first = true;
    const opened = new EventSource('api/v1/live');
    source = opened;
    opened.addEventListener('open', () => {
      pause_ms = FIRST_PAUSE_MS;
      handlers.connection('open');
    });
    opened.addEventListener('revision', (event) => {
      handlers.revision(JSON.parse((event as MessageEvent<string>).data) as Answers['live'], first);
      first = false;
    });
    // A server with too many open streams sends one revision and when to ask again: the connection is not lost.
    opened.addEventListener('again', (event) => {
      stop();
      timer = setTimeout(start, Number((event as MessageEvent<string>).data));
    });
    // The browser stops retrying after an HTTP error (a proxy whose backend is down), so this code retries.
    opened.addEventListener('error', () => {
      stop();
      handlers.connection('lost');
      timer = setTimeout(start, pause_ms);
      pause_ms = Math.min(LONGEST_PAUSE_MS, pause_ms * 2);
    });
  };

  document.addEventListener('visibilitychange', () => {
    stop();
    if (document.hidden) return handlers.connection('paused');
    pause_ms = FIRST_PAUSE_MS;
    handlers.connection('connecting');
    start();
  });
  // Without this an open stream keeps the page out of the back-forward cache.
  window.addEventListener('pagehide', stop);
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) start();
  });

  if (document.hidden) handlers.connection('paused');
  else start();
}
