/** Comparing the picture with that of another step or another run: side by side, in turn, or as a difference. */
import type { Series } from '../api/types';
import type { Address } from './address';
import { grouped } from './format';
import { indexAtOrBefore } from './steps';

export type Way = 'beside' | 'blink' | 'minus';

export const WAYS: readonly { way: Way; words: string; title: string }[] = [
  { way: 'beside', words: 'beside', title: 'Side by side, in the same range' },
  { way: 'blink', words: 'blink', title: 'In turn, in the same place (b)' },
  { way: 'minus', words: 'difference', title: 'One minus the other, with a range of its own (d)' },
];

/** The tensor to compare with. Without a run it is of the same run; without a step it is of the same step or the nearest before it. */
export interface Partner {
  run: string | null;
  step: number | null;
}

export interface Comparison extends Partner {
  way: Way;
}

/** What the address compares, if anything. */
export function comparison(address: Address): Comparison | null {
  const { minus_run, minus_tag, minus_step, compare, with_run, with_step } = address;
  if (minus_run !== null || minus_tag !== null || minus_step !== null) {
    return { way: 'minus', run: minus_run, step: minus_step };
  }
  if (compare !== 'beside' && compare !== 'blink') return null;
  return with_run === null && with_step === null ? null : { way: compare, run: with_run, step: with_step };
}

const NOTHING = {
  minus_run: null,
  minus_tag: null,
  minus_step: null,
  match: null,
  compare: null,
  with_run: null,
  with_step: null,
} satisfies Partial<Address>;

/** The part of an address for this comparison; `null` for none. */
export function comparing(wish: Comparison | null, match: string | null = null): Partial<Address> {
  if (wish === null) return NOTHING;
  if (wish.way === 'minus') return { ...NOTHING, minus_run: wish.run, minus_step: wish.step, match };
  return { ...NOTHING, compare: wish.way, with_run: wish.run, with_step: wish.step };
}

/** The default partner: the first step, or the last if the first is shown. */
export function usualPartner(steps: readonly number[], step: number | null): Partner | null {
  const first = steps[0];
  const last = steps[steps.length - 1];
  if (first === undefined || last === undefined || first === last) return null;
  return { run: null, step: step === first ? last : first };
}

/** The series of another run that corresponds to this one: the same tag, otherwise the same layer and role. */
export function twinOf(series: Series, others: readonly Series[]): Series | null {
  const drawable = others.filter((other) => other.views.length > 0);
  const same = drawable.find((other) => other.tag === series.tag);
  return same ?? drawable.find((other) => other.layer === series.layer && other.role === series.role) ?? null;
}

/** The logged step of the partner: the wanted one or the nearest before it, else the first. */
export function partnerStep(steps: readonly number[], wanted: number): number | null {
  return steps[Math.max(0, indexAtOrBefore(steps, wanted))] ?? null;
}

/** `step 40 − step 0`, `a, step 40 − b, step 30`. */
export function pairWords(a: { run: string; step: number }, b: { run: string; step: number }, between: string): string {
  const name = ({ run, step }: { run: string; step: number }): string =>
    a.run === b.run ? `step ${grouped(step)}` : `${run === '.' ? 'this directory' : run}, step ${grouped(step)}`;
  return `${name(a)} ${between} ${name(b)}`;
}
