import { describe, expect, it } from 'vitest';
import { aligned, bytes, commonPower, count, digits4, grouped, inUnits, plain } from './format';

describe('four digits', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [0.123456, '0.1235'],
    [-0.31, '−0.3100'],
    [123.456, '123.5'],
    [9999.4, '9999'],
    [9999.6, '1.000e4'],
    [12345.6, '1.235e4'],
    [0.00001234, '1.234e−5'],
    [-1e-8, '−1.000e−8'],
    [Number.NaN, 'NaN'],
    [Infinity, '+inf'],
    [-Infinity, '−inf'],
    [null, '–'],
  ])('%s reads %s', (value, text) => {
    expect(digits4(value)).toBe(text);
  });
});

describe('columns', () => {
  it.each([
    [-0.006166, 0.3, 4, '−0.0062'],
    [0.3, 0.3, 4, '0.3000'],
    [12.5, 130, 3, '13'],
    [0, 0, 4, '0'],
    [2e-9, 3e-9, 3, '2.00e−9'],
  ])('%d beside %d', (value, largest, digits, text) => {
    expect(aligned(value, largest, digits)).toBe(text);
  });
});

describe('words', () => {
  it('group long numbers by three', () => {
    expect(grouped(1234567)).toBe('1\u2009234\u2009567');
    expect(grouped(999)).toBe('999');
  });
  it('count in singular and plural', () => {
    expect([count(1, 'file'), count(2, 'file')]).toEqual(['1 file', '2 files']);
  });
  it('measure bytes', () => {
    expect([bytes(0), bytes(999), bytes(12_345), bytes(1.1e9)]).toEqual(['0 B', '999 B', '12.3 kB', '1.1 GB']);
  });
  it('are read back from an input box', () => {
    for (const value of [0.1, -2.5e-7, 12345, 1 / 3]) expect(Math.fround(Number(plain(value)))).toBeCloseTo(value, 6);
  });
});

describe('numbers with a common power of ten', () => {
  it.each([
    [0.0712, 3, -4, '712'],
    [0.9996, 3, -2, '100'],
    [712, 3, 0, '712'],
    [71_234, 2, 3, '71'],
    [-0.7, 3, -3, '−700'],
    [0, 3, 0, '0'],
  ])('%f with %i digits is in 10 to the %i, as %s', (value, digits, power, words) => {
    expect(commonPower(Math.abs(value), digits)).toBe(power);
    expect(inUnits(value, power)).toBe(words);
  });
  it('have no minus before zero, and name what is no number', () => {
    expect(inUnits(-1e-9, -3)).toBe('0');
    expect(inUnits(Number.NaN, -3)).toBe('NaN');
    expect(inUnits(Number.NEGATIVE_INFINITY, -3)).toBe('−inf');
  });
});
