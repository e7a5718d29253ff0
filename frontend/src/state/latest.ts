/** One question at a time: a new one ends the one under way, and answers are kept for a while. */
import type { Answer } from '../api/client';

const KEPT = 24;

/**
 * Returns a function that asks. `take` gets the answer of the question that was asked last, at once where it is kept. The pause
 * keeps a drag from asking at every step.
 */
export function latestOnly<T>(
  fetch: (query: string, signal: AbortSignal) => Promise<Answer<T>>,
  take: (query: string, answer: Answer<T>) => void,
  pause_ms: number,
): (query: string | null) => void {
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
    if (wanted === query && answer.kind !== 'aborted') take(query, answer);
  };
  return (query) => {
    if (query === wanted) return;
    wanted = query;
    clearTimeout(due);
    abort?.abort();
    if (query === null) return;
    const ready = kept.get(query);
    if (ready) take(query, ready);
    else due = setTimeout(() => void ask(query), pause_ms);
  };
}
