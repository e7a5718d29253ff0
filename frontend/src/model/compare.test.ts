import { describe, expect, it } from 'vitest';
import type { Series } from '../api/types';
import { NOWHERE } from './address';
import { comparing, comparison, leavingAxis, pairWords, partnerStep, twinOf, usualPartner } from './compare';

const series = (tag: string, more: Partial<Series> = {}): Series =>
  ({ tag, layer: tag.split('/')[0], role: 'kernel', axis: 'step', views: ['filters'], ...more }) as Series;

describe('a comparison', () => {
  it('is written into the address and read back', () => {
    for (const wish of [
      { way: 'minus', run: null, step: 0 },
      { way: 'minus', run: 'b', step: null },
      { way: 'beside', run: 'b', step: null },
      { way: 'blink', run: null, step: 20 },
    ] as const) {
      expect(comparison({ ...NOWHERE, ...comparing(wish) })).toEqual(wish);
    }
  });
  it('is none where there is nobody to compare with', () => {
    expect(comparison(NOWHERE)).toBeNull();
    expect(comparison({ ...NOWHERE, compare: 'beside' })).toBeNull();
    expect(comparison({ ...NOWHERE, compare: 'sculpture', with_step: 1 })).toBeNull();
    expect(comparison({ ...NOWHERE, ...comparing(null) })).toBeNull();
  });
  it('is with the first step, or with the last from there', () => {
    expect(usualPartner([0, 10, 20], 20)).toEqual({ run: null, step: 0 });
    expect(usualPartner([0, 10, 20], 0)).toEqual({ run: null, step: 20 });
    expect(usualPartner([5], 5)).toBeNull();
  });
  it('lands on a logged step', () => {
    expect(partnerStep([0, 10, 20], 15)).toBe(10);
    expect(partnerStep([10], 3)).toBe(10);
    expect(partnerStep([], 3)).toBeNull();
    expect(partnerStep([0, 10, 20], null)).toBe(20);
  });
  it('is rather with what counts the same', () => {
    const [by_step, by_epoch] = [series('conv1.w'), series('conv1.w by epoch', { axis: 'epoch', layer: 'conv1.w' })];
    const one = series('conv1.w', { axis: 'epoch' });
    expect(twinOf(one, [by_step, by_epoch])?.tag).toBe('conv1.w by epoch');
    expect(twinOf(one, [by_step])?.tag).toBe('conv1.w');
  });
  it('keeps no step where another series counts something else', () => {
    const [steps, epochs] = [{ axis: 'step' }, { axis: 'epoch' }];
    const address = { ...NOWHERE, step: 300, ...comparing({ way: 'beside', run: null, step: 100 }) };
    expect(leavingAxis(address, steps, steps)).toEqual({});
    expect({ ...address, ...leavingAxis(address, steps, epochs) }).toEqual(NOWHERE);
    const other = { ...NOWHERE, step: 300, ...comparing({ way: 'minus', run: 'b', step: 100 }, 'cosine') };
    expect({ ...other, ...leavingAxis(other, steps, epochs) }).toEqual({ ...NOWHERE, minus_run: 'b', match: 'cosine' });
  });
  it('is with the same tag, or with what plays its part', () => {
    const others = [series('conv1/kernel'), series('conv1/w'), series('conv2/w'), series('conv1/b', { views: [] })];
    expect(twinOf(series('conv1/w'), others)?.tag).toBe('conv1/w');
    expect(twinOf(series('conv2/weights'), others)?.tag).toBe('conv2/w');
    expect(twinOf(series('conv1/b', { role: 'bias' }), others)).toBeNull();
  });
  it('names runs only where there are two', () => {
    const place = (run: string, step: number) => ({ run, tag: 'conv1/w', step });
    const moment = ({ step }: { step: number }): string => `step ${step}`;
    const words = (a: [string, number], b: [string, number]) => pairWords([place(...a), place(...b)], '−', moment);
    expect(words(['a', 40], ['a', 0])).toBe('step 40 − step 0');
    expect(words(['a', 40], ['.', 30])).toBe('a, step 40 − this directory, step 30');
  });
});
