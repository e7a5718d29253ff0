/** One question at a time: a new one ends the one under way, and answers are kept for a while. */
import type { Answer } from '../api/client';

const KEPT = 24;

export interface Asking<T> {
  fetch: (query: string, signal: AbortSignal) => Promise<Answer<T>>;
  /** Hears that an answer is on its way. */
  wait: () => void;
  /** Gets the answer to the question that was asked last, at once where it is kept. */
  take: (answer: Answer<T>) => void;
  /** How long a question must stand before it is asked: a drag does not ask at every step. */
  pause_ms: number;
}

/** Returns a function that asks; null asks nothing more. */
export function latestOnly<T>({ fetch, wait, take, pause_ms }: Asking<T>): (query: string | null) => void {
  const kept = new Map<string, Answer<T>>();
  let wanted: string | null = null;
  let abort: AbortController | null = null;
  let due: ReturnType<typeof setTimeout> | undefined;
  const ask = async (query: string): Promise<void> => {
    const own = new AbortController();
    abort = own;
    const answer = await fetch(query, own.signal);
    if (answer.kind === 'ok') {
      kept.set(query, answer);
      const oldest = kept.keys().next().value;
      if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    }
    if (wanted === query && answer.kind !== 'aborted') take(answer);
  };
  return (query) => {
    if (query === wanted) return;
    wanted = query;
    clearTimeout(due);
    abort?.abort();
    if (query === null) {
      take({ kind: 'aborted' });
      return;
    }
    const ready = kept.get(query);
    if (ready) {
      take(ready);
      return;
    }
    wait();
    due = setTimeout(() => void ask(query), pause_ms);
  };
}
