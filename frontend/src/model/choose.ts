/** What to show if the address names nothing, or something that does not exist. Each answer may have a note for the user. */
import type { Options, Run, Series } from '../api/types';
import type { Address } from './address';
import { misfits } from './fits';
import { axis } from './layers';

export interface Choice<T> {
  value: T;
  note: string | null;
}

/**
 * The wanted run, otherwise the one written to last. A run without tensors is taken only if none has any, and one of `bare`,
 * of which nothing can be drawn, only if there is no other.
 */
export function chooseRun(
  wanted: string | null,
  runs: readonly Run[],
  bare: ReadonlySet<string> = new Set(),
): Choice<Run> | null {
  const found = runs.find((run) => run.run === wanted);
  if (found && (found.series > 0 || runs.every((run) => run.series === 0))) return { value: found, note: null };
  const withTensors = runs.filter((run) => run.series > 0);
  const newest = newestOf(withTensors.filter((run) => !bare.has(run.run))) ?? newestOf(withTensors);
  const value = newest ?? runs[0];
  if (!value) return null;
  if (wanted === null) return { value, note: null };
  const why = found ? `“${wanted}” has no tensors` : `There is no run “${wanted}”`;
  return { value, note: `${why}; shown instead: “${value.run}”.` };
}

const newestOf = (runs: readonly Run[]): Run | null =>
  runs.reduce<Run | null>((best, run) => (best === null || age(run) > age(best) ? run : best), null);

const age = (run: Run): number => run.last_wall_time ?? 0;

/**
 * The wanted series; otherwise, after a change of run, the one that corresponds to `before`; otherwise the kernel that is named as
 * that of the first convolution, the first kernel of a convolution, or of any layer. With `isForNow` the wanted one was chosen by the page while there was no better one: the
 * first better one replaces it.
 */
export function chooseSeries(
  wanted: string | null,
  before: Series | null,
  all: readonly Series[],
  isForNow = false,
): Choice<Series> | null {
  const drawable = all.filter((series) => series.views.length > 0);
  const best =
    drawable.find((series) => series.is_first) ??
    drawable.find(isOfConvolution) ??
    drawable.find(isKernel) ??
    drawable[0];
  if (!best) return null;
  const found = drawable.find((series) => series.tag === wanted);
  const isBetter = (found: Series): boolean =>
    isOfConvolution(best) ? !isOfConvolution(found) : isKernel(best) && !isKernel(found);
  if (found) return { value: isForNow && isBetter(found) ? best : found, note: null };
  const twin = before && drawable.find((series) => series.layer === before.layer && series.role === before.role);
  const value = twin ?? best;
  return {
    value,
    note: wanted === null ? null : `“${wanted}” cannot be shown in this run; shown instead: “${value.tag}”.`,
  };
}

const isKernel = (series: Series): boolean => series.role === 'kernel';

/** A kernel with a window of at least one axis. */
const isOfConvolution = (series: Series): boolean => isKernel(series) && axis(series, 'W') !== null;

/** Drops what this series or this server cannot do, and says so. */
export function fitOptions(address: Address, series: Series, options: Options | null): Choice<Address> {
  const dropped = options ? misfits(options, series, address) : [];
  const fitted = { ...address, ...Object.fromEntries(dropped.map((option) => [option, null])) };
  const words = dropped.map((option) => `${option}=${address[option]}`).join(' and ');
  const [does, was] = dropped.length === 1 ? ['does', 'was'] : ['do', 'were'];
  const note = dropped.length === 0 ? null : `${words} ${does} not fit “${series.tag}” and ${was} left out.`;
  return { value: fitted, note };
}
