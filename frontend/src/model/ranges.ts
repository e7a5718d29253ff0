/** Ranges as they are written, their parameters, and which scopes, blends and orders go with what. */

import type { Series } from '../api/types';

/** A range by its name with its numbers: none for `minmax`, one for `percentile:P` and `std:K`, two for `fixed:LO:HI`. */
export interface Range {
  name: string;
  numbers: number[];
}

/** The first parameters of a range that is picked by its name. */
export const USUAL: Record<string, string> = { percentile: 'percentile:0.99', std: 'std:3' };

/** Null where the text is no range: the name is not checked, the numbers of the known ones are. */
export function parseRange(text: string): Range | null {
  const [name = '', ...rest] = text.split(':');
  const numbers = rest.map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (name === '' || numbers.some((number) => !Number.isFinite(number))) return null;
  const [first = 0, second = 0] = numbers;
  const isRight: Record<string, boolean> = {
    percentile: numbers.length === 1 && first > 0 && first <= 1,
    std: numbers.length === 1 && first > 0,
    fixed: numbers.length === 2 && first < second,
  };
  return (isRight[name] ?? numbers.length === 0) ? { name, numbers } : null;
}

/** `percentile` of `percentile:0.99`. */
export const rangeName = (range: string): string => range.split(':')[0] ?? range;

/** `fixed:-1:1` is known where `fixed:LO:HI` is. */
export function knowsRange(range: string, known: readonly string[]): boolean {
  return known.some((form) => rangeName(form) === rangeName(range)) && parseRange(range) !== null;
}

/** The two numbers of `fixed:LO:HI`, if they are a range. */
export function parseFixed(range: string): { lo: number; hi: number } | null {
  const parsed = parseRange(range);
  if (parsed?.name !== 'fixed') return null;
  const [lo = 0, hi = 0] = parsed.numbers;
  return { lo, hi };
}

/** Six digits are enough for a range and keep the address short. */
export function fixedRange(lo: number, hi: number): string {
  return `fixed:${Number(lo.toPrecision(6))}:${Number(hi.toPrecision(6))}`;
}

/** `5` of `percentile:P` in words that a menu can show. */
export const PARAMETERS: Record<string, { label: string; step: number; min: number; max: number | null }> = {
  percentile: { label: 'share of the values, 0 to 1', step: 0.005, min: 0.005, max: 1 },
  std: { label: 'standard deviations', step: 0.5, min: 0.5, max: null },
};

/** TensorFlow's own scale each image by itself. */
const isTensorFlow = (range: string | null): boolean => range === 'tf1' || range === 'tf2';

/** A range of TensorFlow's is always one of each tile. */
export function scopesOf(range: string | null, known: readonly string[]): string[] {
  return isTensorFlow(range) ? known.filter((scope) => scope === 'tile') : [...known];
}

/** The scope that holds where none is chosen. */
export const usualScope = (range: string | null): string => (isTensorFlow(range) ? 'tile' : 'layer');

/** The range that holds where none is chosen; norms and factors have no sign, kernels else do. */
export function usualRange(series: Pick<Series, 'role' | 'view' | 'range'>, view: string | null): string | null {
  if (view === 'magnitude' || view === 'components') return 'minmax';
  return view === series.view || series.role !== 'kernel' ? series.range : 'symmetric';
}

/** A blend goes from the layer's range to those of the tiles: there is nothing in between where both are the same. */
export function canBlend(range: string | null, scope: string | null): boolean {
  if (range === null || isTensorFlow(range) || rangeName(range) === 'fixed') return false;
  return scope === null || scope === 'layer';
}

/** A matrix has its rows and columns, and factors of two steps have nothing to do with each other. */
export function ordersOf(view: string | null, known: readonly string[]): string[] {
  if (view === 'matrix') return known.filter((order) => order === 'index');
  return known.filter((order) => order !== 'change' || view !== 'components');
}
