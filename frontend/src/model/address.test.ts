import { describe, expect, it } from 'vitest';
import { type Address, decodeAddress, encodeAddress, NOWHERE } from './address';

function check(address: Partial<Address>, query: string): void {
  const whole = { ...NOWHERE, ...address };
  expect(encodeAddress(whole)).toBe(query);
  expect(decodeAddress(`?${query}`)).toEqual({ address: whole, notes: [] });
}

describe('address', () => {
  it('is empty for nowhere', () => check({}, ''));
  it('keeps slashes and colons readable', () =>
    check(
      { run: 'exp/7', tag: 'conv1/weights:0', range: 'fixed:-1:2.5' },
      'run=exp/7&tag=conv1/weights:0&range=fixed:-1:2.5',
    ));
  it('carries names with marks of its own', () =>
    check({ run: 'a&b=c', tag: 'x y+z %41' }, 'run=a%26b%3Dc&tag=x+y%2Bz+%2541'));
  it('carries other scripts', () =>
    check({ run: 'läufe', tag: '畳み込み' }, encodeAddress({ ...NOWHERE, run: 'läufe', tag: '畳み込み' })));
  it('carries every number, zero and negative steps too', () =>
    check({ step: -5, sample: 0, slice: 2, tile: 0, zoom: 7 }, 'step=-5&slice=2&sample=0&zoom=7&tile=0'));

  it('carries blends, orders and comparisons', () =>
    check(
      { run: 'a', blend: 0.35, order: 'norm', labels: 'index', minus_run: 'b', minus_step: -2, match: 'cosine' },
      'run=a&blend=0.35&order=norm&labels=index&minus_run=b&minus_step=-2&match=cosine',
    ));
  it('names a blend that is none', () => {
    expect(decodeAddress('?blend=2').notes[0]).toContain('blend=2');
    expect(decodeAddress('?blend=x').address.blend).toBeNull();
  });

  it('takes latest for no step at all', () => {
    expect(decodeAddress('?step=latest')).toEqual({ address: NOWHERE, notes: [] });
  });
  it('names what is no number and goes on', () => {
    const { address, notes } = decodeAddress('?run=a&step=many&tile=-1');
    expect(address).toEqual({ ...NOWHERE, run: 'a' });
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('step=many');
  });
  it('leaves alone what is not its own', () => {
    expect(decodeAddress('?token=secret&run=a').address).toEqual({ ...NOWHERE, run: 'a' });
  });
});
