/** State: what the steps of each series count, and a step of a series in words. */
import { computed } from '@preact/signals';
import { NOUNS, type StepAxis, stepAxis, stepWords } from '../model/step-axis';
import { fields, type Readings } from './group';
import { currentSeries, currentSteps, seriesKey } from './lists';

interface Axes {
  /** By `seriesKey`. A picture may be in sight longer than its series is listed, so what was known is kept. */
  known: ReadonlyMap<string, StepAxis>;
}

const own = fields<Axes>({ known: new Map() });
export const axes: Readings<Axes> = own;

export function noteAxes(all: readonly { run: string; tag: string; axis: string }[]): void {
  const isNew = (key: string, axis: StepAxis): boolean => (own.known.peek().get(key) ?? 'step') !== axis;
  const news = all.map((one) => [seriesKey(one), stepAxis(one)] as const).filter(([key, axis]) => isNew(key, axis));
  if (news.length > 0) own.known.value = new Map([...own.known.peek(), ...news]);
}

/** What the steps of a series count. */
export const axisOf = (series: { run: string; tag: string }): StepAxis =>
  own.known.value.get(seriesKey(series)) ?? 'step';

/** What the track, the step box and the keys go through. */
export const currentAxis = computed<StepAxis>(() => stepAxis(currentSeries.value));

/** What one of them is called. */
export const currentNoun = computed<string>(() => NOUNS[currentAxis.value]);

/** The step of a picture or of numbers in words. */
export function momentOf(place: { run: string; tag: string; step: number }): string {
  const series = currentSeries.value;
  const isOfCurrent = series !== null && seriesKey(series) === seriesKey(place);
  return stepWords(axisOf(place), place.step, isOfCurrent ? currentSteps.value : []);
}
