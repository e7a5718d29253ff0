import { expect, it } from 'vitest';
import { runColor } from './run-colors';

const runs = ['c', 'a', 'b', '4', '5', '6', '7', '8'];

it('a run has the colour that TensorBoard gives it by its place', () => {
  // Read from TensorBoard 2.14 and 2.21.
  expect(runs.map((run) => runColor(run, { isDark: false, runs }))).toEqual([
    '#425066',
    '#12b5cb',
    '#e52592',
    '#f9ab00',
    '#9334e6',
    '#7cb342',
    '#e8710a',
    '#425066',
  ]);
  expect(runColor('c', { isDark: true, runs })).toBe('#8e98a3');
  expect(runColor('a', { isDark: true, runs })).toBe('#12b5cb');
});

it('a run that TensorBoard does not know, or the page without it, has one by its name', () => {
  expect(runColor('new', { isDark: false, runs })).toBe(runColor('new', null));
  expect(runColor('new', null)).toMatch(/^hsl/);
});
