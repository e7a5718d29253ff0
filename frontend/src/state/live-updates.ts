/** Takes in what the live stream tells: grown series, new series, another state of the whole. */
import { batch, effect } from '@preact/signals';
import type { Revision, Run, Series } from '../api/types';
import { loadHealth, loadLists, loadSteps } from './lists-loader';
import { retryPicture } from './picture-loader';
import { currentSeries, rows, seriesKey, state } from './store';

let knownRevision = -1;
let listsDue: ReturnType<typeof setTimeout> | undefined;
let healthDue: ReturnType<typeof setTimeout> | undefined;

/** Series that were not listed, by the version they had then: one that a rule leaves out is not asked for at every step. */
const askedFor = new Map<string, string>();

/** Takes in one event of the live stream. */
export function takeRevision(revision: Revision, first: boolean, healed: boolean): void {
  if (healed || revision.reset || (first && revision.revision !== knownRevision)) {
    void renewAll(revision.revision);
    return;
  }
  knownRevision = revision.revision;
  if (revision.status !== state.health.peek()?.status) soonHealth(0);
  else soonHealth(2000);
  batch(() => {
    revision.changed.forEach(takeChange);
    growRuns(revision.changed);
  });
}

/** The runs' own last steps, where they grew. */
function growRuns(changed: Revision['changed']): void {
  const last = new Map<string, number>();
  for (const { run, last_step } of changed) {
    if (last_step !== null) last.set(run, Math.max(last_step, last.get(run) ?? last_step));
  }
  const all = rows(state.runs.peek());
  const isGrown = (run: Run): boolean =>
    (last.get(run.run) ?? Number.NEGATIVE_INFINITY) > (run.last_step ?? Number.NEGATIVE_INFINITY);
  if (!all.some(isGrown)) return;
  const value = all.map((run) => (isGrown(run) ? { ...run, last_step: last.get(run.run) ?? run.last_step } : run));
  state.runs.value = { kind: 'ready', value };
}

/** Fetches all lists and the steps on show: it is not known what happened meanwhile. */
async function renewAll(revision: number): Promise<void> {
  askedFor.clear();
  await loadLists();
  const series = currentSeries.peek();
  if (series && knownRevision >= 0) await loadSteps(series);
  knownRevision = revision;
  retryPicture();
}

function takeChange(change: Revision['changed'][number]): void {
  if (change.run !== state.seriesRun.peek()) {
    if (!rows(state.runs.peek()).some((run) => run.run === change.run)) soonLists();
    return;
  }
  const all = rows(state.series.peek());
  const known = all.find((series) => series.tag === change.tag);
  if (!known) {
    const key = seriesKey(change);
    if (askedFor.get(key) === change.version) return;
    askedFor.set(key, change.version);
    soonLists();
    return;
  }
  const { steps, last_step, version } = change;
  const grown = { ...known, steps, last_step, version };
  state.series.value = { kind: 'ready', value: all.map((series) => (series === known ? grown : series)) };
  // Role, layout and shape may be others now: a rule was written, or a graph came.
  if (version !== known.version) soonLists();
  // Another version brings its steps by itself: see `keepListsCurrent`.
  if (state.stepsOf.peek() === seriesKey(grown) && version === known.version) growSteps(grown);
}

/** One more step at the end is put there; anything else is fetched anew. */
function growSteps(series: Series): void {
  const steps = rows(state.steps.peek());
  const last = steps[steps.length - 1] ?? Number.NEGATIVE_INFINITY;
  if (steps.length === series.steps && last === series.last_step) return;
  if (steps.length + 1 === series.steps && series.last_step !== null && series.last_step > last) {
    state.steps.value = { kind: 'ready', value: [...steps, series.last_step] };
    return;
  }
  void loadSteps(series);
}

/** Many series may turn up or change at once: their lists are fetched once. */
function soonLists(): void {
  if (listsDue !== undefined) return;
  listsDue = setTimeout(() => {
    listsDue = undefined;
    void loadLists();
  }, 150);
}

function soonHealth(pause_ms: number): void {
  if (pause_ms > 0 && healthDue !== undefined) return;
  clearTimeout(healthDue);
  healthDue = setTimeout(() => {
    healthDue = undefined;
    if (!document.hidden) void loadHealth();
  }, pause_ms);
}

/** While the first scan runs its progress is asked for, as no revision tells of it. */
export function keepProgressCurrent(): void {
  effect(() => {
    if (state.health.value?.status !== 'loading' || state.connection.value !== 'open') return;
    const timer = setTimeout(() => void progress(), 700);
    return () => clearTimeout(timer);
  });
}

async function progress(): Promise<void> {
  await loadHealth();
  if (state.health.peek()?.status !== 'loading') await loadLists();
}
