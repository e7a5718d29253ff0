/** Counts the filters that look dead or alike in the kernels of the list, one layer after another, while nothing else loads or plays. */
import { fetchStats } from '../api/client';
import type { Series } from '../api/types';
import { badgeCounts } from '../model/filter-words';
import { queryString } from '../model/query';
import { seriesKey } from './lists';
import { takeBadge } from './numbers';
import { playback } from './playback';
import { stage } from './stage';

/** Kernels with more elements than this would take too long. */
const LARGEST = 1_000_000;
/** A layer that grows is counted no more often than this. */
const AGAIN_MS = 15_000;
const PAUSE_MS = 150;

const waiting = new Map<string, Series>();
/** Layers that were counted a moment ago and have grown since then. */
const later = new Map<string, ReturnType<typeof setTimeout>>();
const counted = new Map<string, { step: number | null; at_ms: number }>();
let busy = false;

/** Whether a series is counted: it is a kernel with numbers, and not too large. */
export function canCount(series: Series): boolean {
  const size = series.shape.reduce((product, length) => product * length, 1);
  return series.role === 'kernel' && series.source === 'tensor' && size <= LARGEST && series.last_step !== null;
}

/** Counts a layer as soon as the pauses allow. */
export function countBadge(series: Series): void {
  const key = seriesKey(series);
  const before = counted.get(key);
  if (before?.step === series.last_step) return;
  clearTimeout(later.get(key));
  const pause_ms = before ? Math.max(0, before.at_ms + AGAIN_MS - Date.now()) : 0;
  const count = (): void => {
    later.delete(key);
    waiting.set(key, series);
    if (!busy) void work();
  };
  if (pause_ms === 0) count();
  else later.set(key, setTimeout(count, pause_ms));
}

/** Does not count a layer that is out of sight. */
export function forgetBadge(series: Series): void {
  const key = seriesKey(series);
  clearTimeout(later.get(key));
  later.delete(key);
  waiting.delete(key);
}

async function work(): Promise<void> {
  busy = true;
  for (;;) {
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    const [next] = waiting;
    if (!next) break;
    if (document.hidden || playback.playing.peek() || stage.picture.peek().kind === 'loading') continue;
    const [key, series] = next;
    waiting.delete(key);
    counted.set(key, { step: series.last_step, at_ms: Date.now() });
    await count(key, series);
  }
  busy = false;
}

async function count(key: string, series: Series): Promise<void> {
  const { run, tag, last_step, version } = series;
  const query = queryString({ run, tag, step: last_step ?? undefined, v: version });
  const answer = await fetchStats(query, AbortSignal.timeout(60_000));
  if (answer.kind !== 'ok' || last_step === null) return;
  takeBadge(key, { ...badgeCounts(answer.value), step: last_step });
}
