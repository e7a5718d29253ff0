/** The logged steps, which are sorted and rarely evenly spaced: which one is meant, and where it stands on the track. */
import { type StepAxis, stepNumber } from './step-axis';

/** Position of the step itself or of the nearest one before it; -1 where all are later. */
export function indexAtOrBefore(steps: readonly number[], wanted: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] as number) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const LOGGED: Record<StepAxis, string> = { step: 'logged step', epoch: 'saved epoch', time: 'checkpoint' };

export interface ShownStep {
  index: number;
  step: number;
  /** Why it is not the step one asked for; null where it is. */
  note: string | null;
}

/**
 * The logged step to show for a wanted one: itself, or the nearest before it, or the first. `null` wants the latest.
 * `axis` is what they count.
 */
export function nearestStep(
  steps: readonly number[],
  wanted: number | null,
  axis: StepAxis = 'step',
): ShownStep | null {
  if (steps.length === 0) return null;
  const last = steps.length - 1;
  if (wanted === null) return { index: last, step: steps[last] as number, note: null };
  const index = indexAtOrBefore(steps, wanted);
  const step = steps[Math.max(0, index)] as number;
  if (step === wanted) return { index, step, note: null };
  const words = axis === 'time' ? stepNumber(axis, wanted) : String(wanted);
  if (index < 0) return { index: 0, step, note: `${words} is before the first ${LOGGED[axis]}` };
  return { index, step, note: `nearest to ${words}, at or before` };
}

/** Whether many notches would lie on each other if they stood by their step. */
export function isCrowded(steps: readonly number[]): boolean {
  const first = steps[0];
  const last = steps[steps.length - 1];
  if (first === undefined || last === undefined || steps.length < 4 || steps.length > 400) return false;
  const close = (last - first) / 250;
  let crowded = 0;
  for (let i = 1; i < steps.length; i++) {
    if ((steps[i] as number) - (steps[i - 1] as number) < close) crowded++;
  }
  return crowded > steps.length / 5;
}

/** Place of a step on the track, in [0, 1]. */
export function placeOf(steps: readonly number[], index: number, even: boolean): number {
  const last = steps.length - 1;
  if (last <= 0) return 0;
  if (even) return index / last;
  const first = steps[0] as number;
  return ((steps[index] as number) - first) / ((steps[last] as number) - first);
}

/** Position of the notch nearest to a place on the track. */
export function indexAtPlace(steps: readonly number[], place: number, even: boolean): number {
  const last = steps.length - 1;
  const within = Math.min(1, Math.max(0, place));
  if (last <= 0) return 0;
  if (even) return Math.round(within * last);
  const first = steps[0] as number;
  const step = first + within * ((steps[last] as number) - first);
  const before = Math.max(0, indexAtOrBefore(steps, step));
  const after = Math.min(last, before + 1);
  return step - (steps[before] as number) <= (steps[after] as number) - step ? before : after;
}

/** Positions worth a notch on a track of some width: never two on one place. */
export function notches(steps: readonly number[], even: boolean, width_px: number): number[] {
  const places: number[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < steps.length; i++) {
    const place = placeOf(steps, i, even);
    if ((place - before) * width_px < 3) continue;
    places.push(place);
    before = place;
  }
  return places;
}
