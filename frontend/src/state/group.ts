/** A group of the page's state: fields that everybody reads and that only the methods of the group's own file write. */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';

/** The fields as the group's own file has them. */
export type Fields<T> = { readonly [K in keyof T]: Signal<T[K]> };

/** The fields as everybody else has them: the compiler refuses an assignment to `.value`. */
export type Readings<T> = { readonly [K in keyof T]: ReadonlySignal<T[K]> };

/** One signal for each field. */
export function fields<T extends object>(initial: T): Fields<T> {
  const entries = Object.entries(initial).map(([name, value]) => [name, signal(value)]);
  return Object.fromEntries(entries) as Fields<T>;
}
