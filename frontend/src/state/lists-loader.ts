/** Fetches the lists (runs, series, steps) and chooses what to show of them. */
import { effect, untracked } from '@preact/signals';
import {
  fetchHealth,
  fetchOptions,
  fetchRecipes,
  fetchRuns,
  fetchSeries,
  fetchSkipped,
  fetchSteps,
} from '../api/client';
import type { Series } from '../api/types';
import { chooseRun, chooseSeries, fitOptions } from '../model/choose';
import { leavingAxis } from '../model/compare';
import { isCrowded } from '../model/steps';
import { noteAxes } from './axes';
import {
  awaitOptions,
  awaitRuns,
  awaitSeries,
  awaitSkipped,
  awaitSteps,
  currentSeries,
  currentSteps,
  isBare,
  lists,
  seriesKey,
  seriesRun,
  takeHealth,
  takeOptions,
  takeRecipes,
  takeRuns,
  takeSeries,
  takeSkipped,
  takeSteps,
} from './lists';
import { rows, settledIn, valueIn } from './loadable';
import { goTo, isUntouched, navigation, tell } from './navigation';
import { wantedQuery } from './picture-query';
import { markCrowded, playback } from './playback';
import { openedPlace, shownPicture } from './stage';

export async function loadHealth(): Promise<void> {
  takeHealth(await fetchHealth());
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
  if (valueIn(lists.options.peek()) === null) {
    awaitOptions();
    void fetchOptions().then(takeOptions);
  }
  awaitRuns();
  const [health, runs] = await Promise.all([fetchHealth(), fetchRuns()]);
  // That the first scan is done is shown together with its results, and not before.
  if (valueIn(lists.health.peek())?.status !== 'loading') takeHealth(health);
  takeRuns(runs);
  await loadSeries();
  if (isBare()) await loadSkipped();
  takeHealth(health);
  if (runs.kind === 'ok') listedRevision = runs.value.revision;
}

/** Fetches what is not drawn and, once, the recipes: the empty page shows both at the same time. */
export async function loadSkipped(): Promise<void> {
  const isKnown = valueIn(lists.recipes.peek()) !== null;
  awaitSkipped();
  const [skipped, recipes] = await Promise.all([fetchSkipped(), isKnown ? null : fetchRecipes()]);
  takeSkipped(skipped, recipes);
}

/** Asks whether Keras drew the kernels, if this run has pictures and no kernel. */
async function loadWhetherDrawn(): Promise<void> {
  const all = rows(lists.series.peek().list);
  const hasKernel = all.some((series) => series.role === 'kernel');
  if (!hasKernel && all.some((series) => series.source === 'image')) takeRecipes(await fetchRecipes());
}

let seriesAbort: AbortController | null = null;

/** The run that the page chose because the address named none. */
let ownRun: string | null = null;

/** The run whose series are being fetched. */
let runAskedFor: string | null = null;

/** Runs that the page chose and of which nothing can be drawn. */
const bareRuns = new Set<string>();

/** Chooses the run, fetches its series, chooses the series. */
async function loadSeries(): Promise<void> {
  const address = navigation.address.peek();
  const isForNow = address.run !== null && address.run === ownRun && isUntouched();
  const wanted = isForNow && bareRuns.has(address.run ?? '') ? null : address.run;
  const chosen = chooseRun(wanted, rows(lists.runs.peek()), bareRuns);
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
  awaitSeries();
  const answer = await fetchSeries(run, seriesAbort.signal);
  if (answer.kind === 'aborted') return;
  runAskedFor = null;
  const before = currentSeries.peek() ?? lastSeries;
  if (answer.kind === 'ok') noteAxes(answer.value.series);
  takeSeries(run, answer);
  if (run === ownRun && isUntouched() && isBare() && !bareRuns.has(run)) {
    bareRuns.add(run);
    if (chooseRun(null, rows(lists.runs.peek()), bareRuns)?.value.run !== run) {
      if (navigation.address.peek().tag === ownTag) goTo({ tag: null }, 'replace');
      return loadSeries();
    }
  }
  settleSeries(before);
  void loadWhetherDrawn();
}

/** The series that was shown before the run was changed. */
let lastSeries: Series | null = null;

/** The tag that the page chose because the address named none. */
let ownTag: string | null = null;

function settleSeries(before: Series | null): void {
  const { tag } = navigation.address.peek();
  const isForNow = tag !== null && tag === ownTag && isUntouched();
  const chosen = chooseSeries(tag, before, rows(lists.series.peek().list), isForNow);
  if (!chosen) return;
  // What a link or the history says was meant for what it names; after a choice it is of the series before.
  if (before && !isUntouched()) goTo(leavingAxis(navigation.address.peek(), before, chosen.value), 'replace');
  if (chosen.value.tag === tag) return;
  if (tag === null || isForNow) ownTag = chosen.value.tag;
  const { tile } = navigation.address.peek();
  goTo({ tag: chosen.value.tag, tile: null }, 'replace');
  if (chosen.note) tell(chosen.note);
  if (chosen.note && tile !== null) tell(`Tile ${tile} is one of “${tag}” and was left out.`);
}

let stepsAbort: AbortController | null = null;

export async function loadSteps(series: Series): Promise<void> {
  stepsAbort?.abort();
  stepsAbort = new AbortController();
  awaitSteps();
  const answer = await fetchSteps(series.run, series.tag, stepsAbort.signal);
  if (answer.kind !== 'aborted') takeSteps(series, answer);
}

/** Fetches the series of another run, and the steps of another series or version, as soon as they are chosen. */
export function keepListsCurrent(): void {
  effect(() => {
    const { run } = navigation.address.value;
    if (untracked(() => settledIn(lists.runs.value).kind) !== 'ready') return;
    if (run === seriesRun.peek() || run === runAskedFor) return;
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
    const address = navigation.address.value;
    if (!series) return;
    const fitted = fitOptions(address, series, valueIn(lists.options.value));
    if (!fitted.note) return;
    untracked(() => {
      goTo(fitted.value, 'replace');
      tell(fitted.note as string);
    });
  });
}

/** Places the notches of a series at equal distances once they are crowded, as long as it is on show. */
export function keepTrackReadable(): void {
  effect(() => {
    const { of } = lists.steps.value;
    if (playback.crowdedSeries.peek() !== of) markCrowded(null);
    if (isCrowded(currentSteps.value)) markCrowded(of);
  });
}

/** Closes a tile that the sheet does not have. */
export function keepTileReal(): void {
  effect(() => {
    const picture = shownPicture.value;
    const { tile, tag, run } = navigation.address.value;
    if (tile === null || !picture || picture.info.tag !== tag || picture.info.run !== run) return;
    if (picture.query !== wantedQuery.value || openedPlace.value !== null) return;
    untracked(() => {
      goTo({ tile: null }, 'replace');
      tell(`There is no tile ${tile} here: the sheet has ${picture.info.tiles.length}.`);
    });
  });
}
