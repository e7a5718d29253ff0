/** What fits what, as the server says it: the page has no rules of its own. */
import type { Options, RangeChoices, Series, ViewChoices } from '../api/types';
import { type Address, type PictureOption, pictureOptions } from './address';
import { parseRange, rangeName } from './ranges';

/** What can be chosen in a view of a series, the series' own where none is named; null where the server does not say. */
export function choicesOfView(options: Options, series: Series, view: string | null): ViewChoices | null {
  const of = series.fits === null ? undefined : options.fits[series.fits];
  return of?.[view ?? series.view ?? ''] ?? null;
}

/** What goes with a range; null where the server does not know the range. */
export function choicesOfRange(options: Options, range: string | null): RangeChoices | null {
  return options.ranges.find(({ name }) => name === rangeName(range ?? '')) ?? null;
}

/** Whether a share of each tile's own range goes with this range and scope. */
export function canBlend(options: Options, range: string | null, scope: string | null): boolean {
  const of = choicesOfRange(options, range);
  return of?.blend_scopes.includes(scope ?? of.scope) ?? false;
}

/** Whether the picture of a step changes when other steps come. */
export function needsOtherSteps(options: Options, address: Address): boolean {
  return pictureOptions.some((option) => options.needs_other_steps[option]?.includes(String(address[option])) ?? false);
}

/** The choices of an address that this series cannot be drawn with. */
export function misfits(options: Options, series: Series, address: Address): PictureOption[] {
  const view = choicesOfView(options, series, address.view);
  const range = address.range ?? view?.range ?? series.range;
  const known: Partial<Record<PictureOption, readonly string[]>> = {
    view: series.views,
    scope: choicesOfRange(options, range)?.scopes ?? options.scope,
    order: view?.orders ?? options.order,
    cmap: view?.cmaps ?? options.cmap,
    layout: options.layout,
    labels: options.labels,
  };
  return pictureOptions.filter((option) => {
    const value = address[option];
    if (value === null) return false;
    if (option === 'range')
      return choicesOfRange(options, String(value)) === null || parseRange(String(value)) === null;
    if (option === 'blend') return value !== 0 && !canBlend(options, range, address.scope);
    return known[option]?.includes(String(value)) === false;
  });
}
