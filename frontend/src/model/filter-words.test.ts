import { describe, expect, it } from 'vitest';
import type { Stats, StatsEntry } from '../api/types';
import { alikeTo, alikeWords, badgeCounts, factsOf } from './filter-words';

const entry = (more: Partial<StatsEntry> = {}): StatsEntry => ({
  elements: 25,
  nan: 0,
  inf: 0,
  min: -1,
  max: 1,
  mean: 0.1,
  sd: 0.5,
  l1: 3,
  l2: 2,
  zero_share: 0,
  sparsity: null,
  rel: 1,
  dead: false,
  roughness: 0.7,
  change: null,
  change_per_step: null,
  change_per_root_step: null,
  rotation: null,
  ...more,
});

const stats = (more: Partial<Stats> = {}): Stats => ({
  run: 'a',
  tag: 'conv1/w',
  step: 3,
  wall_time: null,
  attempts: 1,
  role: 'kernel',
  layout: 'HWIO',
  per: 'filter',
  each_left_out: null,
  tensor: entry(),
  each: [],
  median_l2: null,
  receptive_field: null,
  change_from: null,
  rotation_from: null,
  dead_over: null,
  duplicates: null,
  twins: null,
  ...more,
});

const hintOf = (one: StatsEntry, name: string, of = stats()): string | null | undefined =>
  factsOf(of, one).find((fact) => fact.name === name)?.hint;

describe('the numbers of a filter', () => {
  it('leave out what is not defined', () => {
    const names = factsOf(stats(), entry()).map((fact) => fact.name);
    expect(names).toEqual(['norm', 'of median', 'roughness', 'min', 'max', 'mean', 'sd']);
  });
  it('say what it looks like, each with its definition', () => {
    expect(hintOf(entry({ rel: 0.05 }), 'of median')).toBe('looks unused');
    expect(hintOf(entry({ roughness: 0.2 }), 'roughness')).toBe('looks smooth');
    expect(hintOf(entry({ roughness: 1.04 }), 'roughness')).toBe('looks like noise');
    expect(hintOf(entry(), 'roughness')).toBeNull();
    for (const fact of factsOf(stats(), entry({ dead: true, change: 0.1 }))) expect(fact.definition).not.toBe('');
    expect(factsOf(stats(), entry({ dead: true })).at(-1)?.value).toBe('looks dead');
  });
  it('are others for a channel', () => {
    const channel = stats({ per: 'channel', dead_over: [1, 2, 3] });
    expect(hintOf(entry({ sparsity: 0.95 }), 'sparsity', channel)).toBe('looks idle');
    expect(factsOf(channel, entry({ dead: true })).at(-1)?.definition).toContain('(3)');
  });
});

describe('what is alike', () => {
  const pairs = [
    { first: 1, second: 4, likeness: 0.96 },
    { first: 0, second: 1, likeness: -0.99 },
    { first: 2, second: 4, likeness: 0.97 },
  ];
  const duplicates = { above: 0.95, count: 3, pairs, not_compared: null };
  it('comes from both sides of a pair, the most alike first', () => {
    expect(alikeTo(duplicates, 1)).toEqual([
      { index: 0, likeness: -0.99 },
      { index: 4, likeness: 0.96 },
    ]);
    expect(alikeTo(duplicates, 9)).toEqual([]);
    expect(alikeTo(null, 1)).toEqual([]);
  });
  it('is counted for a badge once for each filter that has an earlier one', () => {
    const each = [entry({ dead: true }), entry(), entry({ dead: null })];
    expect(badgeCounts(stats({ each, duplicates }))).toEqual({ dead: 1, duplicates: 2 });
    expect(badgeCounts(stats())).toEqual({ dead: 0, duplicates: 0 });
  });
  it('says from where on', () => {
    expect(alikeWords(stats({ duplicates }))).toContain('0.95');
    expect(alikeWords(stats({ per: 'channel' }))).toContain('correlation');
  });
});
