/** State: what there is (runs, series, steps, what is not drawn), and which of it the address means. */
import { batch, computed } from '@preact/signals';
import type { Answer } from '../api/client';
import type { Health, Options, Recipes, Revision, Run, Series, Skipped } from '../api/types';
import { stepAxis } from '../model/step-axis';
import { nearestStep, type ShownStep } from '../model/steps';
import { fields, type Readings } from './group';
import { answered, IDLE, type Loadable, loading, ready, renewed, rows, settledIn, valueIn } from './loadable';
import { navigation } from './navigation';

/** The series of one run, in the order of the network. */
export interface SeriesOfRun {
  /** Null before the first answer. */
  run: string | null;
  list: Loadable<Series[]>;
}

/** The steps of one series, ascending. */
export interface StepsOfSeries {
  /** The series, as `seriesKey` names it; null before the first answer. */
  of: string | null;
  /** The version of the series that the steps belong to. Pictures are asked for with it, so that both agree. */
  version: string | null;
  list: Loadable<number[]>;
}

interface Lists {
  health: Loadable<Health>;
  /** What this server can draw. */
  options: Loadable<Options>;
  runs: Loadable<Run[]>;
  /** How often a run was heard to grow or change. */
  changes: ReadonlyMap<string, number>;
  series: SeriesOfRun;
  steps: StepsOfSeries;
  /** What was logged and is not drawn. Fetched where nothing can be drawn. */
  skipped: Loadable<Skipped[]>;
  /** The Python code that logs what can be drawn. Fetched where nothing can. */
  recipes: Loadable<Recipes>;
}

const own = fields<Lists>({
  health: IDLE,
  options: IDLE,
  runs: IDLE,
  changes: new Map(),
  series: { run: null, list: IDLE },
  steps: { of: null, version: null, list: IDLE },
  skipped: IDLE,
  recipes: IDLE,
});
export const lists: Readings<Lists> = own;

/** `run`, newline, `tag`: names a series. */
export const seriesKey = (series: { run: string; tag: string }): string => `${series.run}\n${series.tag}`;

/** The run whose series are here; the address may be of another one already. */
export const seriesRun = computed<string | null>(() => own.series.value.run);

export const stepsVersion = computed<string | null>(() => own.steps.value.version);

export const currentSeries = computed<Series | null>(() => {
  const { run, tag } = navigation.address.value;
  if (seriesRun.value !== run) return null;
  return rows(own.series.value.list).find((series) => series.tag === tag) ?? null;
});

/** The series of the chosen run are here, and none of them can be drawn. */
export const isRunBare = computed<boolean>(() => settledIn(own.series.value.list).kind === 'ready' && isBare());

/** Whether the page has no series with a picture. */
export const isBare = (): boolean => !rows(own.series.value.list).some((series) => series.views.length > 0);

/** Keras drew pictures of kernels, and no kernel is here as a tensor. */
export const kernelsAreDrawn = computed<boolean>(() => {
  const hasKernel = rows(own.series.value.list).some((series) => series.role === 'kernel');
  return !hasKernel && (valueIn(own.recipes.value)?.kernels_are_drawn ?? false);
});

/** The steps of the chosen series; empty while those of another are still here. */
export const currentSteps = computed<number[]>(() => {
  const series = currentSeries.value;
  if (!series || own.steps.value.of !== seriesKey(series)) return [];
  return rows(own.steps.value.list);
});

/** The logged step that is shown for the step of the address. */
export const shownStep = computed<ShownStep | null>(() =>
  nearestStep(currentSteps.value, navigation.address.value.step, stepAxis(currentSeries.value)),
);

/** The newest step is shown, and the next one as soon as it is logged. */
export const following = computed<boolean>(() => navigation.address.value.step === null);

export function takeHealth(answer: Answer<Health>): void {
  own.health.value = answered(answer, own.health.peek(), valueIn(own.health.peek()));
}

export function awaitOptions(): void {
  own.options.value = loading(own.options.peek());
}

export function takeOptions(answer: Answer<Options>): void {
  own.options.value = answered(answer, own.options.peek());
}

/** The runs are on their way. That lists which are here are renewed is not told: nothing on the page would change. */
export function awaitRuns(): void {
  if (valueIn(own.runs.peek()) === null) own.runs.value = loading(own.runs.peek());
}

export function takeRuns(answer: Answer<{ runs: Run[] }>): void {
  own.runs.value = renewed(picked(answer, 'runs'), own.runs.peek());
}

export function awaitSeries(): void {
  const { run, list } = own.series.peek();
  if (valueIn(list) === null) own.series.value = { run, list: loading(list) };
}

/** Takes the series of a run. Where they do not come, those of another run do not stay. */
export function takeSeries(run: string, answer: Answer<{ series: Series[] }>): void {
  const before = own.series.peek();
  own.series.value = { run, list: renewed(picked(answer, 'series'), before.run === run ? before.list : IDLE) };
}

export function awaitSteps(): void {
  const steps = own.steps.peek();
  if (valueIn(steps.list) === null) own.steps.value = { ...steps, list: loading(steps.list) };
}

/** Takes the steps of this version of a series. */
export function takeSteps(series: Series, answer: Answer<{ steps: number[] }>): void {
  const before = own.steps.peek();
  const of = seriesKey(series);
  const list = renewed(picked(answer, 'steps'), before.of === of ? before.list : IDLE);
  own.steps.value = { of, version: series.version, list };
}

export function awaitSkipped(): void {
  if (valueIn(own.skipped.peek()) === null) own.skipped.value = loading(own.skipped.peek());
}

export function takeSkipped(answer: Answer<{ skipped: Skipped[] }>, recipes: Answer<Recipes> | null): void {
  batch(() => {
    if (recipes) takeRecipes(recipes);
    own.skipped.value = renewed(picked(answer, 'skipped'), own.skipped.peek());
  });
}

export function takeRecipes(answer: Answer<Recipes>): void {
  own.recipes.value = renewed(answer, own.recipes.peek());
}

/** The list inside of an answer. */
function picked<K extends string, T>(answer: Answer<Record<K, T>>, key: K): Answer<T> {
  return answer.kind === 'ok' ? { kind: 'ok', value: answer.value[key] } : answer;
}

/** Takes the last steps of runs that grew, and that they did. */
export function growRuns(changed: Revision['changed']): void {
  countChanges(changed);
  const last = new Map<string, number>();
  for (const { run, last_step, axis } of changed) {
    // What a run says is its last step, and no epoch and no time.
    if (last_step !== null && axis === 'step') last.set(run, Math.max(last_step, last.get(run) ?? last_step));
  }
  const all = rows(own.runs.peek());
  const isGrown = (run: Run): boolean =>
    (last.get(run.run) ?? Number.NEGATIVE_INFINITY) > (run.last_step ?? Number.NEGATIVE_INFINITY);
  if (!all.some(isGrown)) return;
  own.runs.value = ready(
    all.map((run) => (isGrown(run) ? { ...run, last_step: last.get(run.run) ?? run.last_step } : run)),
  );
}

function countChanges(changed: Revision['changed']): void {
  if (changed.length === 0) return;
  const counts = new Map(own.changes.peek());
  for (const run of new Set(changed.map((one) => one.run))) counts.set(run, (counts.get(run) ?? 0) + 1);
  own.changes.value = counts;
}

/** Puts a series that grew or changed in the place of what is known of it. */
export function replaceSeries(known: Series, grown: Series): void {
  const { run, list } = own.series.peek();
  own.series.value = { run, list: ready(rows(list).map((series) => (series === known ? grown : series))) };
}

/** Puts one more step after the last one. */
export function appendStep(step: number): void {
  const steps = own.steps.peek();
  own.steps.value = { ...steps, list: ready([...rows(steps.list), step]) };
}
