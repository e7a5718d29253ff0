/** Applies the events of the live stream: series that grew, new series, another status of the server. */
import { batch, effect } from '@preact/signals';
import { fetchHealth } from '../api/client';
import type { Revision, Series } from '../api/types';
import { leavingAxis } from '../model/compare';
import { noteAxes } from './axes';
import {
  appendStep,
  currentSeries,
  growRuns,
  isBare,
  lists,
  replaceSeries,
  seriesKey,
  seriesRun,
  takeHealth,
} from './lists';
import { isListed, loadHealth, loadLists, loadSkipped, loadSteps } from './lists-loader';
import { rows, valueIn } from './loadable';
import { goTo, navigation } from './navigation';
import { retryPicture } from './picture-loader';
import { surroundings } from './surroundings';

let knownRevision = -1;
let listsDue: ReturnType<typeof setTimeout> | undefined;
let listsDueAt_ms = 0;
let healthDue: ReturnType<typeof setTimeout> | undefined;

const LISTS_PAUSE_MS = 150;
const HEALTH_PAUSE_MS = 2000;
/** A training that begins writes its tags one after another, so the lists wait for a moment. */
const NAMES_PAUSE_MS = 1000;

let countsDue: ReturnType<typeof setTimeout> | undefined;
let countsPause_ms = 4000;
const LONGEST_COUNTS_PAUSE_MS = 600_000;

/** Series that are in no list, with their versions: the lists are not fetched at each step of a series that a rule leaves out. */
const askedFor = new Map<string, string>();

/** Applies one event of the live stream. */
export function takeRevision(revision: Revision, first: boolean, healed: boolean): void {
  if (healed || revision.reset) {
    void renewAll(revision.revision);
    return;
  }
  if (first && revision.revision !== knownRevision) {
    void renewUnlessListed(revision.revision);
    return;
  }
  knownRevision = revision.revision;
  const isOtherStatus = revision.status !== valueIn(lists.health.peek())?.status;
  if (isBare()) takeBareRevision(revision, isOtherStatus);
  else soonHealth(isOtherStatus ? 0 : HEALTH_PAUSE_MS);
  batch(() => {
    noteAxes(revision.changed);
    revision.changed.forEach(takeChange);
    growRuns(revision.changed);
  });
}

/** Without a picture the page lists other tags: new names are fetched soon, counts of records later. */
function takeBareRevision(revision: Revision, isOtherStatus: boolean): void {
  if (isOtherStatus) soonLists();
  else soonHealth(HEALTH_PAUSE_MS);
  if (revision.new_names) soonLists(NAMES_PAUSE_MS);
  else laterCounts();
}

/** Fetches all lists and the steps on show, because any of them may have changed. */
async function renewAll(revision: number): Promise<void> {
  askedFor.clear();
  await loadLists();
  const series = currentSeries.peek();
  if (series && knownRevision >= 0) await loadSteps(series);
  knownRevision = revision;
  retryPicture();
}

/** Fetches the lists unless those that the page has are of this revision. */
async function renewUnlessListed(revision: number): Promise<void> {
  if (await isListed(revision)) knownRevision = revision;
  else await renewAll(revision);
}

function takeChange(change: Revision['changed'][number]): void {
  if (change.run !== seriesRun.peek()) {
    const run = rows(lists.runs.peek()).find((one) => one.run === change.run);
    if (!run || run.series === 0) askOnceFor(change);
    return;
  }
  const known = rows(lists.series.peek().list).find((series) => series.tag === change.tag);
  if (!known) {
    askOnceFor(change);
    return;
  }
  const { steps, last_step, axis, version } = change;
  const grown = { ...known, steps, last_step, axis, version };
  replaceSeries(known, grown);
  if (currentSeries.peek() === grown) goTo(leavingAxis(navigation.address.peek(), known, grown), 'replace');
  // Role, layout and shape may have changed: a rule was written, or a graph was logged.
  if (version !== known.version) soonLists();
  // The steps of another version are fetched by `keepListsCurrent`.
  if (lists.steps.peek().of === seriesKey(grown) && version === known.version) growSteps(grown);
}

/** Fetches the lists for a series that is in none, once for each of its versions. */
function askOnceFor(change: Revision['changed'][number]): void {
  const key = seriesKey(change);
  if (askedFor.get(key) === change.version) return;
  askedFor.set(key, change.version);
  soonLists();
}

/** A single new step is appended; after any other change all steps are fetched. */
function growSteps(series: Series): void {
  const steps = rows(lists.steps.peek().list);
  const last = steps[steps.length - 1] ?? Number.NEGATIVE_INFINITY;
  if (steps.length === series.steps && last === series.last_step) return;
  if (steps.length + 1 === series.steps && series.last_step !== null && series.last_step > last) {
    appendStep(series.last_step);
    return;
  }
  void loadSteps(series);
}

/** Fetches the lists once for all series that appear or change within the pause. */
function soonLists(pause_ms = LISTS_PAUSE_MS): void {
  const at_ms = Date.now() + pause_ms;
  if (listsDue !== undefined && listsDueAt_ms <= at_ms) return;
  clearTimeout(listsDue);
  listsDueAt_ms = at_ms;
  listsDue = setTimeout(() => {
    listsDue = undefined;
    void loadLists();
  }, pause_ms);
}

/** Fetches the counts of records after growing pauses: the relative change becomes smaller as a training goes on. */
function laterCounts(): void {
  if (countsDue !== undefined) return;
  countsDue = setTimeout(() => {
    countsDue = undefined;
    countsPause_ms = Math.min(LONGEST_COUNTS_PAUSE_MS, 2 * countsPause_ms);
    if (isBare()) void loadSkipped();
  }, countsPause_ms);
}

function soonHealth(pause_ms: number): void {
  if (pause_ms > 0 && healthDue !== undefined) return;
  clearTimeout(healthDue);
  healthDue = setTimeout(() => {
    healthDue = undefined;
    if (!document.hidden) void loadHealth();
  }, pause_ms);
}

/** Asks for the progress of the first scan, which has no events. */
export function keepProgressCurrent(): void {
  effect(() => {
    if (valueIn(lists.health.value)?.status !== 'loading' || surroundings.connection.value !== 'open') return;
    const timer = setTimeout(() => void progress(), 700);
    return () => clearTimeout(timer);
  });
}

async function progress(): Promise<void> {
  const answer = await fetchHealth();
  if (answer.kind !== 'ok') return;
  if (answer.value.status === 'loading') takeHealth(answer);
  else await loadLists();
}
