/** The tensor to compare with, in the same run or in another one. */
import { computed, effect } from '@preact/signals';
import { type Answer, fetchSeries, fetchSteps } from '../api/client';
import { comparison, partnerStep, twinOf } from '../model/compare';
import { type StepAxis, stepAxis } from '../model/step-axis';
import { noteAxes } from './axes';
import { awaitPartner, forgetPartnerProblem, type PartnerSeries, partnerSeries, takePartner } from './compare';
import { currentSeries, currentSteps, lists, seriesKey, shownStep } from './lists';
import { navigation } from './navigation';

/** One tensor. */
export interface PartnerPlace {
  run: string;
  tag: string;
  step: number;
  version: string;
}

const found = computed<PartnerSeries | null>(() => {
  const wish = comparison(navigation.address.value);
  const series = currentSeries.value;
  if (!wish || !series) return null;
  const of = seriesKey(series);
  if (wish.tag === undefined && (wish.run === null || wish.run === series.run)) {
    return { of, run: series.run, tag: series.tag, axis: stepAxis(series), steps: currentSteps.value, version: '' };
  }
  const other = partnerSeries.value;
  const isOfTag = wish.tag === undefined || other?.tag === wish.tag;
  return other?.run === (wish.run ?? series.run) && other.of === of && isOfTag ? other : null;
});

/** The tensor to compare with when `step` is on show; null where there is none, or it is not known yet. */
export function partnerAt(step: number): PartnerPlace | null {
  const wish = comparison(navigation.address.value);
  const series = found.value;
  if (!wish || !series) return null;
  // A number of another axis says nothing: an epoch is no step.
  const same = series.axis === stepAxis(currentSeries.value) ? step : null;
  const logged = partnerStep(series.steps, wish.step ?? same);
  return logged === null ? null : { run: series.run, tag: series.tag, step: logged, version: series.version };
}

export const partner = computed<PartnerPlace | null>(() => {
  const at = shownStep.value;
  return at ? partnerAt(at.step) : null;
});

/** What the steps that can be compared with count. */
export const partnerAxis = computed<StepAxis>(() => found.value?.axis ?? stepAxis(currentSeries.value));

/** Steps that can be compared with. */
export const partnerSteps = computed<number[]>(() => found.value?.steps ?? []);

async function find(run: string, of: string, tag: string | undefined): Promise<void> {
  const [answer, series] = [await fetchSeries(run), currentSeries.peek()];
  if (!series || seriesKey(series) !== of) return;
  if (answer.kind !== 'ok') {
    takePartner(answer);
    return;
  }
  noteAxes(answer.value.series);
  const { series: all } = answer.value;
  const twin = tag === undefined ? twinOf(series, all) : all.find((one) => one.tag === tag);
  if (!twin) {
    takePartner(noTwin(run, tag ?? series.tag));
    return;
  }
  const steps = await fetchSteps(run, twin.tag);
  if (steps.kind !== 'ok') takePartner(steps);
  else {
    const { version } = twin;
    takePartner({
      kind: 'ok',
      value: { of, run, tag: twin.tag, axis: stepAxis(twin), steps: steps.value.steps, version },
    });
  }
}

const noTwin = (run: string, tag: string): Answer<never> => ({
  kind: 'refused',
  status: 404,
  code: 'no_match',
  message: `Run “${run}” has nothing that matches “${tag}”.`,
});

/** A partner that grows is looked up no more often than this. */
const AGAIN_MS = 3000;

/** Finds the partner in another run as soon as one is chosen, and again when that run grows. */
export function keepPartnerCurrent(): void {
  let asked = '';
  let asked_ms = 0;
  effect(() => {
    const wish = comparison(navigation.address.value);
    const series = currentSeries.value;
    const tag = wish?.tag;
    const run = wish?.run ?? (tag === undefined ? null : (series?.run ?? null));
    if (run === null || !series || (run === series.run && tag === undefined)) {
      asked = '';
      forgetPartnerProblem();
      return;
    }
    const of = seriesKey(series);
    const changes = lists.changes.value.get(run) ?? 0;
    const place = `${run}\n${of}\n${tag ?? ''}\n`;
    const key = `${place}${changes}`;
    if (key === asked) return;
    const isGrown = asked.startsWith(place);
    const due = setTimeout(
      () => {
        asked = key;
        asked_ms = Date.now();
        awaitPartner();
        void find(run, of, tag);
      },
      isGrown ? Math.max(0, asked_ms + AGAIN_MS - Date.now()) : 0,
    );
    return () => clearTimeout(due);
  });
}
