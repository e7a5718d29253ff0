/** The menus above the stage: what they offer, what they stand on, and what a pick does. */
import { batch } from '@preact/signals';
import type { Series } from '../api/types';
import type { Address } from '../model/address';
import { following } from '../model/keys';
import { cmapsOf, viewsOf } from '../model/layers';
import {
  canBlend,
  fixedRange,
  ordersOf,
  parseFixed,
  parseRange,
  rangeName,
  scopesOf,
  USUAL,
  usualRange,
  usualScope,
} from '../model/ranges';
import { currentSeries, lists } from './lists';
import { valueIn } from './loadable';
import { clearNote, goTo, navigation } from './navigation';
import { clearCursor } from './pointing';
import { shownPicture } from './stage';

export type Menu = 'view' | 'range' | 'scope' | 'cmap' | 'order';

/** Picks from a menu; what the series does by itself is not written into the address. */
export function pick(menu: Menu, value: string, how: 'push' | 'replace' = 'push'): void {
  const series = currentSeries.peek();
  const chosen = value === usual(menu, series) ? null : value;
  const change: Partial<Address> = { [menu]: chosen };
  if (menu === 'view') Object.assign(change, { slice: null, channels: null, tile: null, cmap: null });
  // One channel by itself has no colour.
  if (menu === 'cmap' && value === 'rgb') change.channels = null;
  // The index stays in sight where the tiles do not stand by it.
  if (menu === 'order') change.labels = chosen === null ? null : 'index';
  if (menu === 'scope') change.blend = null;
  batch(() => {
    clearNote();
    if (menu === 'view') clearCursor();
    goTo({ ...change, ...misfits({ ...navigation.address.peek(), ...change }, series) }, how);
  });
}

/** Other choices that do not go with a new one are let go without a word: they were not what was asked for. */
function misfits(address: Address, series: Series | null): Partial<Address> {
  const range = address.range ?? (series ? usualRange(series, address.view ?? series.view) : null);
  const off: Partial<Address> = {};
  const scopes = scopesOf(range, valueIn(lists.options.peek())?.scope ?? []);
  if (address.scope !== null && !scopes.includes(address.scope)) off.scope = null;
  if (address.blend !== null && !canBlend(range, address.scope)) off.blend = null;
  const orders = ordersOf(address.view ?? series?.view ?? null, valueIn(lists.options.peek())?.order ?? []);
  if (address.order !== null && !orders.includes(address.order)) Object.assign(off, { order: null, labels: null });
  return off;
}

/** What holds where nothing is chosen. */
function usual(menu: Menu, series: Series | null): string | null {
  if (menu === 'scope') return usualScope(navigation.address.value.range ?? series?.range ?? null);
  if (menu === 'order') return 'index';
  if (menu === 'view' || series === null) return series?.view ?? null;
  // A difference has a range and colours of its own, whatever is usual: a choice is always written.
  const { minus_run, minus_step, minus_tag, view } = navigation.address.value;
  if ((minus_run ?? minus_step ?? minus_tag) !== null) return null;
  if (menu === 'range') return usualRange(series, view ?? series.view);
  return view === null || view === series.view ? series.cmap : null;
}

/** What a menu stands on: the choice, else what the series, or a difference, does by itself. */
export function picked(menu: Menu): string | null {
  const chosen = navigation.address.value[menu];
  if (chosen !== null) return chosen;
  const series = currentSeries.value;
  const shown = shownPicture.value?.info;
  const isShown = shown !== undefined && shown.tag === series?.tag && shown.run === series.run;
  if (menu === 'cmap' && isShown && shown.view === picked('view')) return shown.cmap;
  // A difference and a view without signs have a range of their own.
  if (menu === 'range' && isShown && navigation.address.value.range === null) return shown.range.option;
  return usual(menu, series);
}

export function choicesOf(menu: Menu): string[] {
  const series = currentSeries.value;
  const options = valueIn(lists.options.value);
  if (!series || !options) return [];
  if (menu === 'view') return viewsOf(series);
  if (menu === 'cmap') return cmapsOf(series, picked('view'), options.cmap);
  if (menu === 'scope') return scopesOf(picked('range'), options.scope);
  if (menu === 'order') {
    const isOne = shownPicture.value?.info.tiles.length === 1;
    return isOne ? [] : ordersOf(picked('view'), options.order ?? []);
  }
  return options.range.map(rangeName);
}

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
  if (name !== 'fixed') pick('range', USUAL[name] ?? name);
  else if (parseFixed(own)) pick('range', own);
  else if (shown && shown.lo !== null && shown.hi !== null && shown.lo < shown.hi) pickFixed(shown.lo, shown.hi);
  else pick('range', 'fixed:-1:1');
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

export const blendable = (): boolean => canBlend(picked('range'), navigation.address.value.scope);

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
