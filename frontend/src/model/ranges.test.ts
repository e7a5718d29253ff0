import { describe, expect, it } from 'vitest';
import { fixedRange, parseFixed, parseRange } from './ranges';

describe('a range', () => {
  it('has the numbers that it needs', () => {
    expect(parseRange('minmax')).toEqual({ name: 'minmax', numbers: [] });
    expect(parseRange('percentile:0.99')).toEqual({ name: 'percentile', numbers: [0.99] });
    expect(parseRange('std:3')).toEqual({ name: 'std', numbers: [3] });
    expect(parseFixed('fixed:-0.5:2e3')).toEqual({ lo: -0.5, hi: 2000 });
  });
  it('is none without them, or with others', () => {
    const wrong = ['', 'percentile', 'percentile:0', 'percentile:1.5', 'std', 'std:0', 'std:x', 'minmax:1', 'tf1:'];
    for (const text of wrong) expect(parseRange(text), text).toBeNull();
    for (const text of ['fixed', 'fixed:1', 'fixed:2:1', 'fixed:a:b', 'minmax', 'fixed:0:Infinity', 'fixed::1']) {
      expect(parseFixed(text), text).toBeNull();
    }
  });
  it('is written short', () => {
    expect(fixedRange(-0.1234567891, 1 / 3)).toBe('fixed:-0.123457:0.333333');
    expect(parseFixed(fixedRange(-1e-9, 1e-9))).toEqual({ lo: -1e-9, hi: 1e-9 });
  });
});
