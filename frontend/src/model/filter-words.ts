/** The numbers of one filter or channel in words: each with its definition, and a hint that says what it looks like. */
import type { Alike, Stats, StatsEntry } from '../api/types';
import { digits4 } from './format';
import type { StepAxis } from './step-axis';

export interface Fact {
  name: string;
  value: string;
  /** What the number suggests; a hint, not a judgement. */
  hint: string | null;
  definition: string;
}

const DEFINITIONS = {
  norm: 'L2 norm: the root of the sum of squares',
  rel: 'norm / median norm of the layer’s filters; far below 1 looks unused',
  change: 'norm(now − before) / norm(before), where before is the one before this',
  perStep: 'change / steps in between; about 0.001 is usual while a layer learns',
  perEpoch: 'change / epochs in between',
  rotation: '1 − cosine to the first: how far it has turned since',
  roughness:
    'mean squared difference of neighbours / (2 × variance); white noise gives about 1, smooth filters much less',
  zeros: 'share of values that are exactly 0',
  sparsity: 'share of zeros over all samples and positions (APoZ); near 1 looks idle',
  min: 'least finite value',
  max: 'greatest finite value',
  mean: 'mean of the finite values',
  sd: 'standard deviation of the finite values',
  deadFilter: 'greatest absolute value < 0.01 of the layer’s',
  deadChannel: 'nowhere above 0 in any sample of the last logged steps',
} as const;

const UNUSED_BELOW = 0.1;
const SMOOTH_BELOW = 0.5;
const NOISE_ABOVE = 0.9;
const IDLE_ABOVE = 0.9;

const fact = (name: string, value: number | null, definition: string, hint: string | null = null): Fact => ({
  name,
  value: digits4(value),
  hint,
  definition,
});

/** What is known of a filter or channel; numbers that are not defined are left out. */
export function factsOf(stats: Stats, entry: StatsEntry, axis: StepAxis = 'step'): Fact[] {
  const facts = stats.per === 'channel' ? channelFacts(stats, entry) : filterFacts(entry, axis);
  return facts.filter((one) => one.value !== digits4(null));
}

function filterFacts(entry: StatsEntry, axis: StepAxis): Fact[] {
  const { l2, rel, change, change_per_step, rotation, roughness, zero_share, min, max, mean, sd, dead } = entry;
  return [
    fact('norm', l2, DEFINITIONS.norm),
    fact('of median', rel, DEFINITIONS.rel, rel !== null && rel < UNUSED_BELOW ? 'looks unused' : null),
    fact('change', change, DEFINITIONS.change),
    ...perStepFact(change_per_step, axis),
    fact('rotation', rotation, DEFINITIONS.rotation),
    fact('roughness', roughness, DEFINITIONS.roughness, roughnessHint(roughness)),
    fact('min', min, DEFINITIONS.min),
    fact('max', max, DEFINITIONS.max),
    fact('mean', mean, DEFINITIONS.mean),
    fact('sd', sd, DEFINITIONS.sd),
    fact('zeros', zero_share === 0 ? null : zero_share, DEFINITIONS.zeros),
    ...deadFact(dead, DEFINITIONS.deadFilter),
  ];
}

/** A change for each millisecond says nothing. */
function perStepFact(change: number | null, axis: StepAxis): Fact[] {
  if (axis === 'time') return [];
  return axis === 'epoch'
    ? [fact('an epoch', change, DEFINITIONS.perEpoch)]
    : [fact('a step', change, DEFINITIONS.perStep)];
}

function channelFacts(stats: Stats, entry: StatsEntry): Fact[] {
  const { l2, sparsity, min, max, mean, sd, dead } = entry;
  const over = stats.dead_over?.length ?? 0;
  return [
    fact('norm', l2, `${DEFINITIONS.norm}, over all samples`),
    fact('min', min, `${DEFINITIONS.min}, over all samples`),
    fact('max', max, `${DEFINITIONS.max}, over all samples`),
    fact('mean', mean, `${DEFINITIONS.mean}, over all samples`),
    fact('sd', sd, `${DEFINITIONS.sd}, over all samples`),
    fact('sparsity', sparsity, DEFINITIONS.sparsity, sparsity !== null && sparsity > IDLE_ABOVE ? 'looks idle' : null),
    ...deadFact(dead, `${DEFINITIONS.deadChannel} (${over})`),
  ];
}

function roughnessHint(roughness: number | null): string | null {
  if (roughness === null) return null;
  if (roughness < SMOOTH_BELOW) return 'looks smooth';
  return roughness > NOISE_ABOVE ? 'looks like noise' : null;
}

const deadFact = (dead: boolean | null, definition: string): Fact[] =>
  dead === true ? [{ name: 'dead', value: 'looks dead', hint: null, definition }] : [];

export interface Neighbour {
  index: number;
  /** The cosine of filters, the correlation of channels. */
  likeness: number;
}

/** Those that look like one filter or channel, the most alike first; a likeness near −1 is its negative. */
export function alikeTo(alike: Alike | null, index: number): Neighbour[] {
  return (alike?.pairs ?? [])
    .filter(({ first, second }) => first === index || second === index)
    .map(({ first, second, likeness }) => ({ index: first === index ? second : first, likeness }))
    .sort((a, b) => Math.abs(b.likeness) - Math.abs(a.likeness));
}

/** The definition of what is alike, for a tooltip. */
export function alikeWords(stats: Stats): string {
  return stats.per === 'channel'
    ? `channels whose correlation is above ${stats.twins?.above ?? 0.95}`
    : `filters whose cosine is above ${stats.duplicates?.above ?? 0.95} or below −${stats.duplicates?.above ?? 0.95}`;
}

/** The numbers in the badge of a layer: how many filters look dead, and how many are like an earlier one. */
export function badgeCounts(stats: Stats): { dead: number; duplicates: number } {
  const later = new Set((stats.duplicates?.pairs ?? []).map(({ first, second }) => Math.max(first, second)));
  return { dead: stats.each.filter((entry) => entry.dead === true).length, duplicates: later.size };
}
