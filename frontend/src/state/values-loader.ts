/** Fetches the values behind the picture on the stage once somebody points at it or opens a tile. */
import { effect } from '@preact/signals';
import { type Answer, fetchColormap, fetchValues } from '../api/client';
import type { Colormap } from '../api/types';
import { parseNpy } from '../model/npy';
import { valueIn } from './loadable';
import { navigation } from './navigation';
import { panels } from './panels';
import { pointing } from './pointing';
import {
  awaitColormap,
  awaitValues,
  forgetValues,
  shownPicture,
  stage,
  takeColormap,
  takeValues,
  type Values,
} from './stage';

/** Values of the last few pictures: going back and forth between two steps asks once. */
const KEPT = 12;
const kept = new Map<string, Values>();
const maps = new Map<string, Colormap>();
let abort: AbortController | null = null;

async function load(query: string): Promise<void> {
  abort?.abort();
  const own = new AbortController();
  abort = own;
  const answer = await fetchValues(query, own.signal);
  if (answer.kind === 'aborted') return;
  const values = parsed(query, answer);
  if (values.kind === 'ok') keep(values.value);
  if (shownPicture.peek()?.query === query) takeValues(values);
}

const parsed = (query: string, answer: Answer<ArrayBuffer>): Answer<Values> =>
  answer.kind === 'ok' ? { kind: 'ok', value: { query, floats: parseNpy(answer.value) } } : answer;

function keep(values: Values): void {
  kept.set(values.query, values);
  const oldest = kept.keys().next().value;
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
}

export function keepValuesCurrent(): void {
  effect(() => {
    const query = shownPicture.value?.query;
    const asked = pointing.cursor.value !== null || navigation.address.value.tile !== null || panels.histogram.value;
    if (query === undefined) {
      forgetValues();
      return;
    }
    if (valueIn(stage.values.peek())?.query === query) return;
    const ready = kept.get(query);
    if (ready) takeValues({ kind: 'ok', value: ready });
    else if (current !== query) forgetValues();
    if (!ready && asked && current !== query) {
      current = query;
      awaitValues();
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
    const cmap = shownPicture.value?.info.cmap;
    if (cmap === undefined || cmap === valueIn(stage.colormap.peek())?.cmap) return;
    const ready = maps.get(cmap);
    if (ready) {
      takeColormap({ kind: 'ok', value: ready });
      return;
    }
    awaitColormap();
    void fetchColormap(cmap).then((answer) => {
      if (answer.kind === 'ok') maps.set(cmap, answer.value);
      if (shownPicture.peek()?.info.cmap === cmap) takeColormap(answer);
    });
  });
}
