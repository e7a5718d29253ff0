/** The menus above the stage: what they offer, what they stand on, and what a pick does. */
import { batch } from '@preact/signals';
import type { Address } from '../model/address';
import { parseFixed } from '../model/choose';
import { following } from '../model/keys';
import { cmapsOf } from '../model/layers';
import { goTo } from './actions';
import { currentSeries, state } from './store';

export type Menu = 'view' | 'range' | 'scope' | 'cmap';

/** Picks from a menu; what the series does by itself is not written into the address. */
export function pick(menu: Menu, value: string): void {
  const series = currentSeries.peek();
  const usual = menu === 'scope' ? 'layer' : series?.[menu];
  const chosen = value === usual ? null : value;
  const change: Partial<Address> = { [menu]: chosen };
  if (menu === 'view') Object.assign(change, { slice: null, channels: null, tile: null, cmap: null });
  // One channel by itself has no colour.
  if (menu === 'cmap' && value === 'rgb') change.channels = null;
  batch(() => {
    state.note.value = null;
    if (menu === 'view') state.cursor.value = null;
    goTo(change, 'push');
  });
}

/** What a menu stands on: the choice, else what the series does by itself. */
export function picked(menu: Menu): string | null {
  const chosen = state.address.value[menu];
  if (chosen !== null) return chosen;
  if (menu === 'scope') return 'layer';
  const shown = state.picture.value?.info;
  const series = currentSeries.value;
  if (menu === 'cmap' && shown && shown.tag === series?.tag && shown.view === picked('view')) return shown.cmap;
  return series?.[menu] ?? null;
}

export function choicesOf(menu: Menu): string[] {
  const series = currentSeries.value;
  const options = state.options.value;
  if (menu === 'view') return series?.views ?? [];
  if (menu === 'cmap') return series && options ? cmapsOf(series, picked('view'), options.cmap) : [];
  return options?.[menu].map((form) => form.split(':')[0] ?? form) ?? [];
}

/** The next choice of a menu; a fixed range starts from the numbers on show. */
export function pickNext(menu: Menu): void {
  const present = picked(menu)?.split(':')[0] ?? null;
  const next = following(choicesOf(menu), present);
  if (next === null || next === present) return;
  if (menu === 'range') pickRange(next);
  else pick(menu, next);
}

/** Holds the numbers on show when `fixed` is picked by name; a series that is fixed by itself goes back to its own. */
export function pickRange(name: string): void {
  const shown = state.picture.peek()?.info.range;
  const own = currentSeries.peek()?.range ?? '';
  if (name !== 'fixed') pick('range', name);
  else if (parseFixed(own)) pick('range', own);
  else if (shown && shown.lo !== null && shown.hi !== null && shown.lo < shown.hi) pickFixed(shown.lo, shown.hi);
  else pick('range', 'fixed:-1:1');
}

export function pickFixed(lo: number, hi: number): void {
  const range = `fixed:${Number(lo.toPrecision(6))}:${Number(hi.toPrecision(6))}`;
  if (parseFixed(range)) pick('range', range);
}
