/** What a user can do to compare: with which tensor, and in which way. */
import { batch } from '@preact/signals';
import type { Address } from '../model/address';
import { comparing, comparison, type Partner, usualPartner, type Way } from '../model/compare';
import { choicesOfRange } from '../model/fits';
import type { StepAxis } from '../model/step-axis';
import { currentAxis, currentNoun } from './axes';
import { currentSeries, currentSteps, lists, shownStep } from './lists';
import { valueIn } from './loadable';
import { clearNote, goTo, navigation, tell } from './navigation';

/** The last partner, so that one key resumes the comparison. A step of it is one on this axis. */
let last: (Partner & { axis: StepAxis }) | null = null;

/** The choices that a difference replaces by its own; they come back afterwards. */
let aside: Partial<Address> | null = null;

/** Compares in this way; the present way stops the comparison. */
export function toggleCompare(way: Way): void {
  const now = comparison(navigation.address.peek());
  if (now?.way === way) stopComparing();
  else compareWith(way, now ?? lastPartner() ?? usualPartner(currentSteps.peek(), shownStep.peek()?.step ?? null));
}

/** A step that counted something else is no step here. */
function lastPartner(): Partner | null {
  if (last === null || last.axis === currentAxis.peek()) return last;
  return last.run === null ? null : { run: last.run, step: null };
}

export function compareWith(way: Way, partner: Partner | null): void {
  if (!partner) {
    tell(`This series has only one ${currentNoun.peek()}. Choose another run to compare it with.`);
    return;
  }
  if (way === 'minus' && currentSeries.peek()?.source === 'image') {
    tell('8-bit pictures have no known scale, so their difference means nothing.');
    return;
  }
  const before = comparison(navigation.address.peek());
  const { run, step, tag } = partner;
  // Another series has another average.
  if (tag === undefined) last = { run, step, axis: currentAxis.peek() };
  const match = before?.way === 'minus' ? navigation.address.peek().match : null;
  batch(() => {
    clearNote();
    goTo({ ...comparing({ ...partner, way }, match), ...scaleOf(way, before?.way ?? null) }, 'push');
  });
}

export function stopComparing(): void {
  const before = comparison(navigation.address.peek());
  if (before) goTo({ ...comparing(null), ...scaleOf(null, before.way) }, 'push');
}

/** Another step or another run to compare with, in the same way. */
export function changePartner(change: Partial<Partner>): void {
  const now = comparison(navigation.address.peek());
  if (!now) return;
  // Another run has no series of the same tag that is meant.
  const { run, step, tag } = now;
  compareWith(now.way, { run, step, ...(tag === undefined || 'run' in change ? {} : { tag }), ...change });
}

/** Compares with another series of the run, such as the average of the weights. */
export function compareWithTag(tag: string): void {
  compareWith(comparison(navigation.address.peek())?.way ?? 'beside', { run: null, step: null, tag });
}

export function toggleMatch(): void {
  goTo({ match: navigation.address.peek().match === null ? 'cosine' : null }, 'push');
}

/** Compares with a run of the list; a second click stops the comparison. */
export function tickRun(run: string): void {
  const now = comparison(navigation.address.peek());
  if (now?.run === run) stopComparing();
  else compareWith(now?.way ?? 'beside', { run, step: null });
}

/** The range and colours of a difference are its own; the earlier choices come back after it. */
function scaleOf(way: Way | null, before: Way | null): Partial<Address> {
  const address = navigation.address.peek();
  if (way === 'minus' && before !== 'minus') {
    const { range, scope, blend, cmap, order, labels } = address;
    aside = { range, scope, blend, cmap, order, labels };
    const options = valueIn(lists.options.peek());
    // A range that leaves nothing to blend has ends of its own, which a difference would not fill.
    const isOwn = options !== null && choicesOfRange(options, range)?.blend_scopes.length === 0;
    return {
      range: isOwn || address.range === 'minmax' ? null : address.range,
      scope: address.scope === 'run' ? null : address.scope,
      cmap: address.cmap === 'rgb' ? 'rgb' : null,
      ...(address.order === 'change' ? { order: null, labels: null } : {}),
    };
  }
  if (before === 'minus' && way !== 'minus' && aside) {
    const back = aside;
    aside = null;
    return back;
  }
  return {};
}
