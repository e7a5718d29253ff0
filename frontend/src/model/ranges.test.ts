import { describe, expect, it } from 'vitest';
import {
  canBlend,
  fixedRange,
  knowsRange,
  ordersOf,
  parseFixed,
  parseRange,
  scopesOf,
  USUAL,
  usualRange,
  usualScope,
} from './ranges';

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
  it('is known by its form', () => {
    const known = ['minmax', 'percentile:P', 'fixed:LO:HI'];
    expect(knowsRange('percentile:0.9', known)).toBe(true);
    expect(knowsRange('fixed:3:1', known)).toBe(false);
    expect(knowsRange('zscale', known)).toBe(false);
    for (const usual of Object.values(USUAL)) expect(parseRange(usual)).not.toBeNull();
  });
  it('is written short', () => {
    expect(fixedRange(-0.1234567891, 1 / 3)).toBe('fixed:-0.123457:0.333333');
    expect(parseFixed(fixedRange(-1e-9, 1e-9))).toEqual({ lo: -1e-9, hi: 1e-9 });
  });
});

it('the usual range has a sign where the values have one', () => {
  const kernel = { role: 'kernel', view: 'filters', range: 'symmetric' } as const;
  const norms = { role: 'kernel', view: 'filters', range: 'minmax' } as const;
  const maps = { role: 'activation', view: 'maps', range: 'minmax' } as const;
  expect(usualRange(kernel, 'filters')).toBe('symmetric');
  expect(usualRange(kernel, 'magnitude')).toBe('minmax');
  expect(usualRange(norms, 'filters')).toBe('minmax');
  expect(usualRange(norms, 'slice')).toBe('symmetric');
  expect(usualRange(maps, 'samples')).toBe('minmax');
});

describe('what goes together', () => {
  const scopes = ['tile', 'layer', 'run'];
  it('is each tile by itself for the ranges of TensorFlow', () => {
    expect(scopesOf('tf1', scopes)).toEqual(['tile']);
    expect(usualScope('tf2')).toBe('tile');
    expect(scopesOf('std:3', scopes)).toEqual(scopes);
    expect(usualScope(null)).toBe('layer');
  });
  it('is a blend where tile and layer differ', () => {
    expect(canBlend('symmetric', null)).toBe(true);
    for (const [range, scope] of [
      ['tf1', null],
      ['fixed:0:1', null],
      ['minmax', 'run'],
      ['minmax', 'tile'],
    ] as const) {
      expect(canBlend(range, scope)).toBe(false);
    }
  });
  it('is no order in a matrix, and no change of factors', () => {
    const orders = ['index', 'norm', 'change'];
    expect(ordersOf('matrix', orders)).toEqual(['index']);
    expect(ordersOf('components', orders)).toEqual(['index', 'norm']);
    expect(ordersOf('filters', orders)).toEqual(orders);
  });
});
