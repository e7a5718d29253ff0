/** Comparing the picture with that of another step or another run: side by side, in turn, or as a difference. */
import type { Series } from '../api/types';
import type { Address } from './address';
import { indexAtOrBefore } from './steps';
import type { MomentWords } from './words';

export type Way = 'beside' | 'blink' | 'minus';

export const WAYS: readonly { way: Way; words: string; title: string }[] = [
  { way: 'beside', words: 'beside', title: 'Side by side, in the same range' },
  { way: 'blink', words: 'blink', title: 'In turn, in the same place (b)' },
  { way: 'minus', words: 'difference', title: 'One minus the other, with a range of its own (d)' },
];

/**
 * The tensor to compare with. Without a run it is of the same run; without a step it is of the same step or the nearest before it;
 * with a tag it is that series, such as the average of the weights.
 */
export interface Partner {
  run: string | null;
  step: number | null;
  tag?: string;
}

export interface Comparison extends Partner {
  way: Way;
}

/** What the address compares, if anything. */
export function comparison(address: Address): Comparison | null {
  const { minus_run, minus_tag, minus_step, compare, with_run, with_tag, with_step } = address;
  const of = (tag: string | null): { tag?: string } => (tag === null ? {} : { tag });
  if (minus_run !== null || minus_tag !== null || minus_step !== null) {
    return { way: 'minus', run: minus_run, step: minus_step, ...of(minus_tag) };
  }
  if (compare !== 'beside' && compare !== 'blink') return null;
  if (with_run === null && with_tag === null && with_step === null) return null;
  return { way: compare, run: with_run, step: with_step, ...of(with_tag) };
}

const NOTHING = {
  minus_run: null,
  minus_tag: null,
  minus_step: null,
  match: null,
  compare: null,
  with_run: null,
  with_tag: null,
  with_step: null,
} satisfies Partial<Address>;

/** The part of an address for this comparison; `null` for none. */
export function comparing(wish: Comparison | null, match: string | null = null): Partial<Address> {
  if (wish === null) return NOTHING;
  const { run, step, tag = null } = wish;
  if (wish.way === 'minus') return { ...NOTHING, minus_run: run, minus_tag: tag, minus_step: step, match };
  return { ...NOTHING, compare: wish.way, with_run: run, with_tag: tag, with_step: step };
}

/** What changes in an address when a series is followed by one whose steps count something else: its newest is shown. */
export function leavingAxis(
  address: Address,
  before: Pick<Series, 'axis'>,
  after: Pick<Series, 'axis'>,
): Partial<Address> {
  if (before.axis === after.axis) return {};
  const now = comparison(address);
  const wish = now === null || now.run === null ? null : { ...now, step: null };
  return { step: null, attempt: null, ...comparing(wish, address.match) };
}

/** The default partner: the first step, or the last if the first is shown. */
export function usualPartner(steps: readonly number[], step: number | null): Partner | null {
  const first = steps[0];
  const last = steps[steps.length - 1];
  if (first === undefined || last === undefined || first === last) return null;
  return { run: null, step: step === first ? last : first };
}

/**
 * The series of another run that corresponds to this one: the same tag, otherwise the same layer and role; rather one whose
 * steps count the same.
 */
export function twinOf(series: Series, others: readonly Series[]): Series | null {
  const drawable = others.filter((other) => other.views.length > 0);
  const alike = drawable.filter((other) => other.axis === series.axis);
  const find = (among: readonly Series[]): Series | undefined =>
    among.find((other) => other.tag === series.tag) ??
    among.find((other) => other.layer === series.layer && other.role === series.role);
  return find(alike) ?? find(drawable) ?? null;
}

/** The logged step of the partner: the wanted one or the nearest before it, else the first. `null` wants the newest. */
export function partnerStep(steps: readonly number[], wanted: number | null): number | null {
  if (wanted === null) return steps[steps.length - 1] ?? null;
  return steps[Math.max(0, indexAtOrBefore(steps, wanted))] ?? null;
}

type Place = Parameters<MomentWords>[0];

/** `step 40 − step 0`, `a, step 40 − b, epoch 3`. */
export function pairWords([a, b]: [Place, Place], between: string, moment: MomentWords): string {
  const name = (place: Place): string =>
    a.run === b.run ? moment(place) : `${place.run === '.' ? 'this directory' : place.run}, ${moment(place)}`;
  return `${name(a)} ${between} ${name(b)}`;
}
