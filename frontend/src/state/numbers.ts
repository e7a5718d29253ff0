/** State: the numbers of tensors and filters that the server computes. */
import type { Answer } from '../api/client';
import type { Charts, Difference, RunRange, Stats } from '../api/types';
import { fields, type Readings } from './group';
import { answered, IDLE, type Loadable, loading, valueIn } from './loadable';

/** How many filters of a kernel look dead or like another one at a step. */
export interface Badge {
  dead: number;
  duplicates: number;
  step: number;
}

interface Numbers {
  /** Of the step that was asked for last. */
  stats: Loadable<Stats>;
  /** Over the steps of its series. */
  charts: Loadable<Charts>;
  /** Of the difference on show. */
  difference: Loadable<Difference>;
  /** The range over all steps, as far as it is known; idle while none is computed. */
  runRange: Loadable<RunRange>;
  /** The counts of kernels, by `seriesKey`. */
  badges: ReadonlyMap<string, Badge>;
}

const own = fields<Numbers>({ stats: IDLE, charts: IDLE, difference: IDLE, runRange: IDLE, badges: new Map() });
export const numbers: Readings<Numbers> = own;

export function awaitStats(): void {
  own.stats.value = loading(own.stats.peek());
}

export function takeStats(answer: Answer<Stats>): void {
  own.stats.value = answered(answer, own.stats.peek());
}

export function awaitCharts(): void {
  own.charts.value = loading(own.charts.peek());
}

/** Takes the charts; those that are here stay in use while newer ones do not come. */
export function takeCharts(answer: Answer<Charts>): void {
  own.charts.value = answered(answer, own.charts.peek(), valueIn(own.charts.peek()));
}

export function awaitDifference(): void {
  own.difference.value = loading(own.difference.peek());
}

export function takeDifference(answer: Answer<Difference>): void {
  own.difference.value = answered(answer, own.difference.peek());
}

export function awaitRunRange(): void {
  own.runRange.value = loading(own.runRange.peek());
}

export function takeRunRange(answer: Answer<RunRange>): void {
  own.runRange.value = answered(answer, own.runRange.peek(), valueIn(own.runRange.peek()));
}

export function forgetRunRange(): void {
  own.runRange.value = IDLE;
}

export function takeBadge(key: string, badge: Badge): void {
  own.badges.value = new Map(own.badges.peek()).set(key, badge);
}
