/** What to show when the address names nothing, or something that is not there. Each answer may carry a quiet note. */
import type { Options, Run, Series } from '../api/types';
import type { Address } from './address';
import { cmapsOf } from './layers';

export interface Choice<T> {
  value: T;
  note: string | null;
}

/** The wanted run, else the one written to last. */
export function chooseRun(wanted: string | null, runs: readonly Run[]): Choice<Run> | null {
  const found = runs.find((run) => run.run === wanted);
  if (found) return { value: found, note: null };
  const newest = runs
    .filter((run) => run.series > 0)
    .reduce<Run | null>((best, run) => (best === null || age(run) > age(best) ? run : best), null);
  const value = newest ?? runs[0];
  if (!value) return null;
  return { value, note: wanted === null ? null : `There is no run “${wanted}” here; this is “${value.run}”.` };
}

const age = (run: Run): number => run.last_wall_time ?? 0;

/** The wanted series; else, after a change of run, the one that plays its part there; else the first kernel. */
export function chooseSeries(
  wanted: string | null,
  before: Series | null,
  all: readonly Series[],
): Choice<Series> | null {
  const drawable = all.filter((series) => series.views.length > 0);
  const found = drawable.find((series) => series.tag === wanted);
  if (found) return { value: found, note: null };
  const twin = before && drawable.find((series) => series.layer === before.layer && series.role === before.role);
  const value = twin ?? drawable.find((series) => series.role === 'kernel') ?? drawable[0];
  if (!value) return null;
  return { value, note: wanted === null ? null : `“${wanted}” cannot be shown in this run; this is “${value.tag}”.` };
}

/** Drops what this series or this server cannot do, and says so. */
export function fitOptions(address: Address, series: Series, options: Options | null): Choice<Address> {
  const fitted: Address = { ...address };
  const dropped: string[] = [];
  const drop = (key: 'view' | 'range' | 'scope' | 'cmap' | 'layout'): void => {
    dropped.push(`${key}=${fitted[key]}`);
    fitted[key] = null;
  };
  if (fitted.view !== null && !series.views.includes(fitted.view)) drop('view');
  if (options) {
    if (fitted.range !== null && !knowsRange(fitted.range, options.range)) drop('range');
    if (fitted.scope !== null && !options.scope.includes(fitted.scope)) drop('scope');
    if (fitted.layout !== null && !options.layout.includes(fitted.layout)) drop('layout');
    const view = fitted.view ?? series.view;
    if (fitted.cmap !== null && !cmapsOf(series, view, options.cmap).includes(fitted.cmap)) drop('cmap');
  }
  const note = dropped.length === 0 ? null : `${dropped.join(' and ')} does not fit “${series.tag}” and was left out.`;
  return { value: fitted, note };
}

/** `fixed:-1:1` is known where `fixed:LO:HI` is. */
export function knowsRange(range: string, known: readonly string[]): boolean {
  const name = range.split(':')[0] ?? '';
  if (!known.some((form) => form.split(':')[0] === name)) return false;
  return name !== 'fixed' || parseFixed(range) !== null;
}

/** The two numbers of `fixed:LO:HI`, if they are a range. */
export function parseFixed(range: string): { lo: number; hi: number } | null {
  const [name, low, high] = range.split(':');
  if (name !== 'fixed' || !low || !high) return null;
  const lo = Number(low);
  const hi = Number(high);
  return Number.isFinite(lo) && Number.isFinite(hi) && lo < hi ? { lo, hi } : null;
}
