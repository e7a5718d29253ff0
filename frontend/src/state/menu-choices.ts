/** The menus above the stage: what they offer, what they stand on, and what a pick does. */
import { batch } from '@preact/signals';
import type { Series, SheetInfo } from '../api/types';
import type { Address } from '../model/address';
import { canBlend, choicesOfRange, choicesOfView, misfits } from '../model/fits';
import { following, type Menu } from '../model/keys';
import { fixedRange, parseFixed, parseRange, rangeName } from '../model/ranges';
import { currentSeries, lists } from './lists';
import { valueIn } from './loadable';
import { clearNote, goTo, navigation } from './navigation';
import { wantedQuery } from './picture-query';
import { clearCursor } from './pointing';
import { shownPicture } from './stage';

/** What changes with the value that is picked; `chosen` is null where it is the usual one. */
const ALONG: Record<Menu, (value: string, chosen: string | null) => Partial<Address>> = {
  view: () => ({ slice: null, channels: null, tile: null, cmap: null }),
  range: () => ({}),
  scope: () => ({ blend: null }),
  // In colour all channels are shown at once.
  cmap: (value) => (value === 'rgb' ? { channels: null } : {}),
  // The index stays in sight where the tiles do not stand by it.
  order: (_, chosen) => ({ labels: chosen === null ? null : 'index' }),
};

/** Picks from a menu; what the series does by itself is not written into the address. */
export function pick(menu: Menu, value: string, how: 'push' | 'replace' = 'push'): void {
  const series = currentSeries.peek();
  const chosen = value === usual(menu, series) ? null : value;
  const change: Partial<Address> = { [menu]: chosen, ...ALONG[menu](value, chosen) };
  batch(() => {
    clearNote();
    if (menu === 'view') clearCursor();
    goTo({ ...change, ...others(menu, { ...navigation.address.peek(), ...change }, series) }, how);
  });
}

/** Other choices that do not go with a new one are let go without a word: they were not what was asked for. */
function others(menu: Menu, address: Address, series: Series | null): Partial<Address> {
  const options = valueIn(lists.options.peek());
  if (!series || !options) return {};
  const off = misfits(options, series, address).filter((option) => option !== menu);
  if (off.includes('order')) off.push('labels');
  return Object.fromEntries(off.map((option) => [option, null]));
}

/** What holds where nothing is chosen. */
function usual(menu: Menu, series: Series | null): string | null {
  const options = valueIn(lists.options.value);
  const { range, view } = navigation.address.value;
  if (menu === 'scope') {
    return options ? (choicesOfRange(options, range ?? series?.range ?? null)?.scope ?? null) : null;
  }
  if (menu === 'order') return options?.options.find(({ name }) => name === menu)?.values[0] ?? null;
  if (menu === 'view' || series === null) return series?.view ?? null;
  // A difference has a range and colours of its own, whatever is usual: a choice is always written.
  if (isDifference()) return null;
  // The picture knows best: another colour map may have made it one of magnitudes, which have no sign.
  const shown = shownPicture.value;
  const isNow = shown !== null && shown.query === wantedQuery.value;
  if (menu === 'range' && range === null && isNow) return shown.info.range.option;
  return options ? (choicesOfView(options, series, view)?.[menu] ?? null) : series[menu];
}

function isDifference(): boolean {
  const { minus_run, minus_step, minus_tag } = navigation.address.value;
  return (minus_run ?? minus_step ?? minus_tag) !== null;
}

/** What the picture on the stage shows, if it is of this series. */
function shownOf(series: Series | null): SheetInfo | null {
  const shown = shownPicture.value?.info;
  return shown !== undefined && shown.tag === series?.tag && shown.run === series.run ? shown : null;
}

/** What a menu stands on: the choice, else what the series, or a difference, does by itself. */
export function picked(menu: Menu): string | null {
  const chosen = navigation.address.value[menu];
  if (chosen !== null) return chosen;
  const series = currentSeries.value;
  const shown = shownOf(series);
  if (menu === 'cmap' && shown?.view === picked('view')) return shown.cmap;
  // A difference and a view without signs have a range of their own.
  if (menu === 'range' && shown && navigation.address.value.range === null) return shown.range.option;
  return usual(menu, series);
}

export function choicesOf(menu: Menu): string[] {
  const series = currentSeries.value;
  const options = valueIn(lists.options.value);
  if (!series || !options) return [];
  const ofView = choicesOfView(options, series, picked('view'));
  const isOneTile = shownPicture.value?.info.tiles.length === 1;
  const fitting: Record<Menu, () => string[]> = {
    view: () => series.views,
    range: () => options.ranges.map(({ name }) => name),
    scope: () => choicesOfRange(options, picked('range'))?.scopes ?? options.scope,
    cmap: () => ofView?.cmaps ?? options.cmap,
    order: () => (isOneTile ? [] : (ofView?.orders ?? options.order)),
  };
  // A difference takes nothing of other steps.
  const others = isDifference() ? (options.needs_other_steps[menu] ?? []) : [];
  return fitting[menu]().filter((value) => !others.includes(value));
}

/** What a value of a menu means, or what the menu chooses where none is named, as the server says it; empty where it does not. */
export function meaningOf(menu: Menu, value: string | null): string {
  const option = valueIn(lists.options.value)?.options.find(({ name }) => name === menu);
  const meaning = value === null ? option?.help : option?.meanings[formOf(option.values, value)];
  return (meaning ?? '').replaceAll('`', '');
}

/** `percentile:P` for `percentile` and for `percentile:0.9`. */
const formOf = (forms: readonly string[], value: string): string =>
  forms.find((form) => rangeName(form) === rangeName(value)) ?? value;

/** The next choice of a menu; a fixed range starts from the numbers on show. */
export function pickNext(menu: Menu): void {
  const present = rangeName(picked(menu) ?? '');
  const next = following(choicesOf(menu), present);
  if (next === null || next === present) return;
  if (menu === 'range') pickRange(next);
  else pick(menu, next);
}

/**
 * Picks a range by its name, with the usual parameter. `fixed` holds the numbers on show; a series that is fixed by itself
 * goes back to its own.
 */
export function pickRange(name: string): void {
  const shown = shownPicture.peek()?.info.range;
  const own = currentSeries.peek()?.range ?? '';
  if (name === 'fixed' && parseFixed(own)) pick('range', own);
  else if (name === 'fixed' && shown && shown.lo !== null && shown.hi !== null && shown.lo < shown.hi) {
    pickFixed(shown.lo, shown.hi);
  } else {
    const options = valueIn(lists.options.peek());
    pick('range', (options && choicesOfRange(options, name)?.usual) ?? name);
  }
}

export function pickFixed(lo: number, hi: number, how: 'push' | 'replace' = 'push'): void {
  const range = fixedRange(lo, hi);
  if (parseFixed(range)) pick('range', range, how);
}

/** Another number for a range that has one: `percentile:0.9`. */
export function pickParameter(name: string, number: number): void {
  const range = `${name}:${Number(number.toPrecision(6))}`;
  if (parseRange(range)) pick('range', range);
}

export function blendable(): boolean {
  const options = valueIn(lists.options.value);
  return options !== null && canBlend(options, picked('range'), navigation.address.value.scope);
}

/** From the layer's range, 0, to those of the tiles, 1; the ends are the scopes of these names. */
export function pickBlend(blend: number): void {
  const off = blend <= 0 || blend >= 1;
  const started = navigation.address.peek().blend !== null;
  const change = { scope: blend >= 1 ? 'tile' : null, blend: off ? null : Math.round(blend * 100) / 100 };
  goTo(change, started ? 'replace' : 'push');
}

/** The index above each tile, or not. */
export function toggleLabels(): void {
  goTo({ labels: navigation.address.peek().labels === 'index' ? null : 'index' }, 'push');
}
