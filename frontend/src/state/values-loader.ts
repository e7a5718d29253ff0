/** Fetches the values behind the picture on the stage once somebody points at it or opens a tile. */
import { effect, untracked } from '@preact/signals';
import { fetchColormap, fetchValues } from '../api/client';
import type { Colormap } from '../api/types';
import { type Floats, parseNpy } from '../model/npy';
import { state } from './store';

/** Values of the last few pictures: going back and forth between two steps asks once. */
const KEPT = 12;
const kept = new Map<string, Floats>();
const maps = new Map<string, Colormap>();
let abort: AbortController | null = null;

async function load(query: string): Promise<void> {
  abort?.abort();
  const own = new AbortController();
  abort = own;
  const answer = await fetchValues(query, own.signal);
  if (answer.kind !== 'ok') return;
  const floats = parseNpy(answer.value);
  kept.set(query, floats);
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
  if (state.picture.peek()?.query === query) state.values.value = { query, floats };
}

export function keepValuesCurrent(): void {
  effect(() => {
    const query = state.picture.value?.query;
    const asked = state.cursor.value !== null || state.address.value.tile !== null || state.histogram.value;
    if (query === undefined) {
      state.values.value = null;
      return;
    }
    if (untracked(() => state.values.value?.query) === query) return;
    const ready = kept.get(query);
    state.values.value = ready ? { query, floats: ready } : null;
    if (!ready && asked && current !== query) {
      current = query;
      void load(query).finally(() => {
        if (current === query) current = null;
      });
    }
  });
}

/** The query that is being fetched. */
let current: string | null = null;

export function keepColormapCurrent(): void {
  effect(() => {
    const cmap = state.picture.value?.info.cmap;
    if (cmap === undefined || cmap === untracked(() => state.colormap.value?.cmap)) return;
    const ready = maps.get(cmap);
    if (ready) {
      state.colormap.value = ready;
      return;
    }
    state.colormap.value = null;
    void fetchColormap(cmap).then((answer) => {
      if (answer.kind !== 'ok') return;
      maps.set(cmap, answer.value);
      if (state.picture.peek()?.info.cmap === cmap) state.colormap.value = answer.value;
    });
  });
}
