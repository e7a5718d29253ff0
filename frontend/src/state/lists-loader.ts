/** Fetches what there is (runs, series, steps) and settles what to show of it. */
import { batch, effect, untracked } from '@preact/signals';
import {
  type Answer,
  fetchHealth,
  fetchOptions,
  fetchRecipes,
  fetchRuns,
  fetchSeries,
  fetchSkipped,
  fetchSteps,
} from '../api/client';
import type { Health, Recipes, Series } from '../api/types';
import { chooseRun, chooseSeries, fitOptions } from '../model/choose';
import { isCrowded } from '../model/steps';
import { goTo, isUntouched, tell } from './actions';
import { wantedQuery } from './picture-query';
import { currentSeries, currentSteps, type Loadable, openedPlace, rows, seriesKey, state } from './store';

function settled<T, U>(answer: Answer<T>, pick: (value: T) => U, before: Loadable<U>): Loadable<U> {
  if (answer.kind === 'ok') return { kind: 'ready', value: pick(answer.value) };
  // What was there stays readable while the server is away: the connection tells that it is.
  if (answer.kind === 'aborted' || before.kind === 'ready') return before;
  return { kind: 'failed', message: answer.message, refused: answer.kind === 'refused' };
}

export async function loadHealth(): Promise<void> {
  takeHealth(await fetchHealth());
}

function takeHealth(answer: Answer<Health>): void {
  if (answer.kind === 'ok') state.health.value = answer.value;
}

let underway: Promise<void> | null = null;

/** The revision of the lists that are here; -1 for none. */
let listedRevision = -1;

/** Fetches everything that is listed, after connecting and after a reset. */
export function loadLists(): Promise<void> {
  const loading = loadAll();
  underway = loading;
  return loading;
}

/** Whether what is listed, or being fetched just now, is of this revision of the server. */
export async function isListed(revision: number): Promise<boolean> {
  await underway;
  return listedRevision === revision;
}

async function loadAll(): Promise<void> {
  if (state.options.peek() === null) {
    void fetchOptions().then((answer) => {
      if (answer.kind === 'ok') state.options.value = answer.value;
    });
  }
  const [health, runs] = await Promise.all([fetchHealth(), fetchRuns()]);
  // That the logdir has been read is told with what was found in it, and not before.
  if (state.health.peek()?.status !== 'loading') takeHealth(health);
  state.runs.value = settled(runs, (value) => value.runs, state.runs.peek());
  await loadSeries();
  if (isBare()) await loadSkipped();
  takeHealth(health);
  if (runs.kind === 'ok') listedRevision = runs.value.revision;
}

/** Whether the page has no series with a picture, and says what there is in its place. */
export const isBare = (): boolean => !rows(state.series.peek()).some((series) => series.views.length > 0);

/** Fetches what is not drawn and, once, the lines that log what can be: the empty page has both at once. */
export async function loadSkipped(): Promise<void> {
  const known = state.recipes.peek();
  const [skipped, recipes] = await Promise.all([fetchSkipped(), known.length === 0 ? fetchRecipes() : null]);
  batch(() => {
    if (recipes) takeRecipes(recipes);
    state.skipped.value = settled(skipped, (value) => value.skipped, state.skipped.peek());
  });
}

function takeRecipes(answer: Answer<Recipes>): void {
  if (answer.kind !== 'ok') return;
  state.recipes.value = answer.value.recipes;
  state.kernelsAreDrawn.value = answer.value.kernels_are_drawn;
}

/** Pictures may be all that there is of the kernels, in whichever run. */
async function loadWhetherDrawn(): Promise<void> {
  const all = rows(state.series.peek());
  const hasKernel = all.some((series) => series.role === 'kernel');
  if (hasKernel) state.kernelsAreDrawn.value = false;
  else if (all.some((series) => series.source === 'image')) takeRecipes(await fetchRecipes());
}

let seriesAbort: AbortController | null = null;

/** The run that was chosen here, as the address named none. */
let ownRun: string | null = null;

/** The run whose series are being fetched. */
let runAskedFor: string | null = null;

/** Runs that were chosen here and of which nothing can be drawn. */
const bareRuns = new Set<string>();

/** Settles the run, fetches its series, settles the series. */
async function loadSeries(): Promise<void> {
  const address = state.address.peek();
  const isForNow = address.run !== null && address.run === ownRun && isUntouched();
  const wanted = isForNow && bareRuns.has(address.run ?? '') ? null : address.run;
  const chosen = chooseRun(wanted, rows(state.runs.peek()), bareRuns);
  if (!chosen) return;
  const run = chosen.value.run;
  if (wanted === null) ownRun = run;
  runAskedFor = run;
  if (run !== address.run) {
    goTo({ run }, 'replace');
    if (chosen.note) tell(chosen.note);
  }
  seriesAbort?.abort();
  seriesAbort = new AbortController();
  const answer = await fetchSeries(run, seriesAbort.signal);
  if (answer.kind === 'aborted') return;
  runAskedFor = null;
  const changed = state.seriesRun.peek() !== run;
  const before = currentSeries.peek() ?? lastSeries;
  state.series.value = settled(answer, (value) => value.series, changed ? { kind: 'idle' } : state.series.peek());
  state.seriesRun.value = run;
  if (run === ownRun && isUntouched() && isBare() && !bareRuns.has(run)) {
    bareRuns.add(run);
    if (chooseRun(null, rows(state.runs.peek()), bareRuns)?.value.run !== run) {
      if (state.address.peek().tag === ownTag) goTo({ tag: null }, 'replace');
      return loadSeries();
    }
  }
  settleSeries(before);
  void loadWhetherDrawn();
}

/** The series one looked at before the run was changed. */
let lastSeries: Series | null = null;

/** The tag that was chosen here, as the address named none. */
let ownTag: string | null = null;

function settleSeries(before: Series | null): void {
  const { tag } = state.address.peek();
  const isForNow = tag !== null && tag === ownTag && isUntouched();
  const chosen = chooseSeries(tag, before, rows(state.series.peek()), isForNow);
  if (!chosen || chosen.value.tag === tag) return;
  if (tag === null || isForNow) ownTag = chosen.value.tag;
  const { tile } = state.address.peek();
  goTo({ tag: chosen.value.tag, tile: null }, 'replace');
  if (chosen.note) tell(chosen.note);
  if (chosen.note && tile !== null) tell(`Tile ${tile} is one of “${tag}” and was left out.`);
}

let stepsAbort: AbortController | null = null;

export async function loadSteps(series: Series): Promise<void> {
  stepsAbort?.abort();
  stepsAbort = new AbortController();
  const key = seriesKey(series);
  const same = state.stepsOf.peek() === key;
  const answer = await fetchSteps(series.run, series.tag, stepsAbort.signal);
  if (answer.kind === 'aborted') return;
  batch(() => {
    state.steps.value = settled(answer, (value) => value.steps, same ? state.steps.peek() : { kind: 'idle' });
    state.stepsOf.value = key;
    state.stepsVersion.value = series.version;
    if (!same) state.crowded.value = false;
  });
}

/** Follows the choices: another run brings its series, another series or another version of it its steps. */
export function keepListsCurrent(): void {
  effect(() => {
    const { run } = state.address.value;
    if (untracked(() => state.runs.value.kind) !== 'ready') return;
    if (run === state.seriesRun.peek() || run === runAskedFor) return;
    untracked(() => void loadSeries());
  });
  let shownKey = '';
  effect(() => {
    const series = currentSeries.value;
    if (!series) return;
    lastSeries = series;
    const key = `${seriesKey(series)}\n${series.version}`;
    if (key === shownKey) return;
    shownKey = key;
    untracked(() => void loadSteps(series));
  });
  effect(() => {
    const series = currentSeries.value;
    const address = state.address.value;
    if (!series) return;
    const fitted = fitOptions(address, series, state.options.value);
    if (!fitted.note) return;
    untracked(() => {
      goTo(fitted.value, 'replace');
      tell(fitted.note as string);
    });
  });
}

/** Once the notches of a series crowd they stay side by side, so that the track does not jump to and fro as it grows. */
export function keepTrackReadable(): void {
  effect(() => {
    if (isCrowded(currentSteps.value)) state.crowded.value = true;
  });
}

/** A tile that the sheet does not have is let go. */
export function keepTileReal(): void {
  effect(() => {
    const picture = state.picture.value;
    const { tile, tag, run } = state.address.value;
    if (tile === null || !picture || picture.info.tag !== tag || picture.info.run !== run) return;
    if (picture.query !== wantedQuery.value || openedPlace.value !== null) return;
    untracked(() => {
      goTo({ tile: null }, 'replace');
      tell(`There is no tile ${tile} here: the sheet has ${picture.info.tiles.length}.`);
    });
  });
}
