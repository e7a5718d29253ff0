/** The state of something that is fetched, as one value: what is here, what is on its way and what went wrong cannot disagree. */
import type { Answer } from '../api/client';

export type Settled<T> =
  /** Nobody asked for it. */
  | { kind: 'idle' }
  | { kind: 'ready'; value: T }
  /** `refused`: the server answered, and its answer was no. `last` is an older value that stays in use, or null. */
  | { kind: 'failed'; message: string; refused: boolean; last: T | null };

/** While something loads, what was settled before stays on show. */
export type Loadable<T> = Settled<T> | { kind: 'loading'; before: Settled<T> };

export const IDLE = { kind: 'idle' } as const;

export const ready = <T>(value: T): Settled<T> => ({ kind: 'ready', value });

/** The same, with a newer value on its way. */
export function loading<T>(now: Loadable<T>): Loadable<T> {
  return now.kind === 'loading' ? now : { kind: 'loading', before: now };
}

/** The last settled state: what is on show also while something newer loads. */
export function settledIn<T>(loadable: Loadable<T>): Settled<T> {
  return loadable.kind === 'loading' ? loadable.before : loadable;
}

/** The value in use, which may be older than what was asked for last; null where there is none. */
export function valueIn<T>(loadable: Loadable<T>): T | null {
  const settled = settledIn(loadable);
  if (settled.kind === 'ready') return settled.value;
  return settled.kind === 'failed' ? settled.last : null;
}

/** Why the last answer gave nothing; null where it gave something. */
export function problemIn<T>(loadable: Loadable<T>): string | null {
  const settled = settledIn(loadable);
  return settled.kind === 'failed' ? settled.message : null;
}

/** What the server said when it refused; null where it did not. That no answer came is told by the connection. */
export function refusalIn<T>(loadable: Loadable<T>): string | null {
  const settled = settledIn(loadable);
  return settled.kind === 'failed' && settled.refused ? settled.message : null;
}

/** The rows of a list; none while there are none. */
export function rows<T>(loadable: Loadable<T[]>): T[] {
  return valueIn(loadable) ?? [];
}

/** The state after an answer. Without a value in it, `last` stays in use. An answer that nobody waits for changes nothing. */
export function answered<T>(answer: Answer<T>, before: Loadable<T>, last: T | null = null): Settled<T> {
  if (answer.kind === 'ok') return ready(answer.value);
  if (answer.kind === 'aborted') return settledIn(before);
  return { kind: 'failed', message: answer.message, refused: answer.kind === 'refused', last };
}

/** The same for lists: what was there stays as it is while the server is away, and the connection tells that it is. */
export function renewed<T>(answer: Answer<T>, before: Loadable<T>): Settled<T> {
  const settled = settledIn(before);
  return answer.kind !== 'ok' && settled.kind === 'ready' ? settled : answered(answer, before);
}
