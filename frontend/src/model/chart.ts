/** Numbers over steps -> a small line. Places are in [0, 1], the line in CSS pixels. */
import { indexAtOrBefore } from './steps';

export interface Chart {
  /** Steps, ascending, with a number or null each. */
  steps: readonly number[];
  values: readonly (number | null)[];
}

/** Smallest and largest number; null where there is none. */
export function chartExtent({ values }: Chart): { lo: number; hi: number } | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : { lo: Math.min(...known), hi: Math.max(...known) };
}

/** The line as a path; a gap where a number is missing, a short dash where one stands alone. */
export function chartPath(chart: Chart, width: number, height: number): string {
  const found = chartExtent(chart);
  if (!found || chart.steps.length === 0) return '';
  const span = found.hi - found.lo || 1;
  let path = '';
  let isOpen = false;
  chart.values.forEach((value, index) => {
    if (value === null) {
      isOpen = false;
      return;
    }
    const x = round(placeOnAxis(chart.steps, index) * width);
    const y = round(found.hi === found.lo ? height / 2 : height - ((value - found.lo) / span) * height);
    path += isOpen ? `L${x} ${y}` : `M${x} ${y}h0.01`;
    isOpen = true;
  });
  return path;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function placeOnAxis(steps: readonly number[], index: number): number {
  const first = steps[0] ?? 0;
  const last = steps[steps.length - 1] ?? 0;
  return last === first ? 0.5 : ((steps[index] ?? first) - first) / (last - first);
}

/** Place of a step that need not be among the chart's; null outside of it. */
export function placeOfStep(steps: readonly number[], step: number): number | null {
  const first = steps[0];
  const last = steps[steps.length - 1];
  if (first === undefined || last === undefined || step < first || step > last) return null;
  return last === first ? 0.5 : (step - first) / (last - first);
}

/** The charted step nearest to a place. */
export function stepAtPlace(steps: readonly number[], place: number): number | null {
  const first = steps[0];
  const last = steps[steps.length - 1];
  if (first === undefined || last === undefined) return null;
  const wanted = first + Math.min(1, Math.max(0, place)) * (last - first);
  const before = Math.max(0, indexAtOrBefore(steps, wanted));
  const low = steps[before] as number;
  const high = steps[Math.min(steps.length - 1, before + 1)] as number;
  return wanted - low <= high - wanted ? low : high;
}

/** The number at a step, or at the nearest charted one before it. */
export function valueAtStep({ steps, values }: Chart, step: number): number | null {
  return values[indexAtOrBefore(steps, step)] ?? null;
}
