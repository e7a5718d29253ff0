/** Ranges as they are written, and their parameters. */

/** A range by its name with its numbers: none for `minmax`, one for `percentile:P` and `std:K`, two for `fixed:LO:HI`. */
export interface Range {
  name: string;
  numbers: number[];
}

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
