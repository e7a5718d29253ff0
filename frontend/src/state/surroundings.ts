/** State: what is around the page: the connection to the server, the theme, and the TensorBoard whose tab this may be. */
import { computed } from '@preact/signals';
import type { Answer } from '../api/client';
import type { Connection } from '../api/live';
import { fields, type Readings } from './group';
import { answered, IDLE, type Loadable, loading, valueIn } from './loadable';

export type Theme = 'auto' | 'light' | 'dark';

/** The TensorBoard around this page. */
export interface Host {
  isDark: boolean;
  /** Its runs in its own order; empty until they are known. */
  runs: string[];
}

interface Surroundings {
  connection: Connection;
  theme: Theme;
  /** Whether the TensorBoard around this page is dark; null where there is none. */
  hostIsDark: boolean | null;
  hostRuns: Loadable<string[]>;
}

const own = fields<Surroundings>({ connection: 'connecting', theme: 'auto', hostIsDark: null, hostRuns: IDLE });
export const surroundings: Readings<Surroundings> = own;

/** The TensorBoard around this page; null where there is none. */
export const host = computed<Host | null>(() => {
  const isDark = own.hostIsDark.value;
  return isDark === null ? null : { isDark, runs: valueIn(own.hostRuns.value) ?? [] };
});

export function setConnection(connection: Connection): void {
  own.connection.value = connection;
}

export function setTheme(theme: Theme): void {
  own.theme.value = theme;
}

export function setHostDark(isDark: boolean): void {
  own.hostIsDark.value = isDark;
}

export function awaitHostRuns(): void {
  own.hostRuns.value = loading(own.hostRuns.peek());
}

export function takeHostRuns(answer: Answer<string[]>): void {
  own.hostRuns.value = answered(answer, own.hostRuns.peek());
}
