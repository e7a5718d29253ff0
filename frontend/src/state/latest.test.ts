/** One question at a time. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../api/client';
import { latestOnly } from './latest';

/** Asks with a pause of 100 ms; what was fetched waits for `answer`. */
function asking() {
  const fetched: string[] = [];
  const taken: (string | undefined)[] = [];
  const open = new Map<string, { done: (answer: Answer<string>) => void; signal: AbortSignal }>();
  let waits = 0;
  const ask = latestOnly<string>({
    fetch: (query, signal) => {
      fetched.push(query);
      return new Promise((done) => open.set(query, { done, signal }));
    },
    wait: () => {
      waits++;
    },
    take: (answer) => taken.push(answer.kind === 'ok' ? answer.value : answer.kind),
    pause_ms: 100,
  });
  const answer = async (query: string): Promise<void> => {
    open.get(query)?.done({ kind: 'ok', value: `of ${query}` });
    await vi.advanceTimersByTimeAsync(0);
  };
  return { ask, answer, fetched, taken, open, waits: () => waits };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('asking', () => {
  test('asks for where a drag ends, and not for what it passes', async () => {
    const { ask, fetched, waits } = asking();
    for (const query of ['a', 'b', 'c']) {
      ask(query);
      await vi.advanceTimersByTimeAsync(50);
    }
    await vi.advanceTimersByTimeAsync(100);
    expect([fetched, waits()]).toEqual([['c'], 3]);
  });

  test('ends the question under way for a new one, and does not take its answer', async () => {
    const { ask, answer, open, taken } = asking();
    ask('a');
    await vi.advanceTimersByTimeAsync(100);
    ask('b');
    expect(open.get('a')?.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    await answer('a');
    await answer('b');
    expect(taken).toEqual(['of b']);
  });

  test('has answers at hand that it got before', async () => {
    const { ask, answer, fetched, taken } = asking();
    ask('a');
    await vi.advanceTimersByTimeAsync(100);
    await answer('a');
    ask('b');
    ask('a');
    await vi.advanceTimersByTimeAsync(1000);
    expect([fetched, taken]).toEqual([['a'], ['of a', 'of a']]);
  });

  test('of nothing says that nothing is on its way', async () => {
    const { ask, fetched, taken } = asking();
    ask('a');
    ask(null);
    await vi.advanceTimersByTimeAsync(1000);
    expect([fetched, taken]).toEqual([[], ['aborted']]);
  });
});
