/** What a user can do. Every choice goes through the address, so that it can be linked and taken back. */
import { batch } from '@preact/signals';
import type { Series } from '../api/types';
import { type Address, decodeAddress, encodeAddress, NOWHERE } from '../model/address';
import { type Arrow, neighbour, step as stepSpot } from '../model/geometry';
import { nameOfTile } from '../model/tiles';
import { currentSeries, currentSteps, landing, openedPlace, rows, state, type Theme } from './store';
import { zoomNow } from './zoom';

/** `push` makes a place to come back to; `replace` is for steps and for what the page settles by itself. */
export type How = 'push' | 'replace';

let writeDue: ReturnType<typeof setTimeout> | undefined;

export function goTo(change: Partial<Address>, how: How): void {
  const address = { ...state.address.peek(), ...change };
  if (encodeAddress(address) === encodeAddress(state.address.peek())) return;
  state.address.value = address;
  clearTimeout(writeDue);
  if (how === 'push') writeAddress('push');
  // Browsers refuse more than some hundred changes of the address in half a minute: a drag writes once, at its end.
  else writeDue = setTimeout(() => writeAddress('replace'), 200);
}

function writeAddress(how: How): void {
  const query = encodeAddress(state.address.peek());
  const target = query === '' ? location.pathname : `?${query}`;
  if (how === 'push') history.pushState(null, '', target);
  else history.replaceState(null, '', target);
}

export function readAddress(): void {
  const { address, notes } = decodeAddress(location.search);
  clearTimeout(writeDue);
  isLinkNew = true;
  batch(() => {
    state.note.value = null;
    // An address without a place means "whatever is best", and that is what is on show already.
    const { run, tag } = state.address.peek();
    state.address.value = {
      ...address,
      run: address.run ?? run,
      tag: address.tag ?? (address.run === null ? tag : null),
    };
    state.cursor.value = null;
    if (notes.length > 0) tell(notes.join(' '));
  });
}

/** Nobody has touched anything since the address was read: what is told is about the link. */
let isLinkNew = true;

/** From now on what is told is about something that was done here. */
export function endLink(): void {
  isLinkNew = false;
}

/** Whether nobody has touched or chosen anything since the page was opened. */
export const isUntouched = (): boolean => isLinkNew;

/** Says something in the quiet line. All mistakes of a link are said, one after another; later on, the newest alone. */
export function tell(note: string): void {
  const before = state.note.peek();
  if (!isLinkNew || before === null) state.note.value = note;
  else if (!before.includes(note)) state.note.value = `${before} ${note}`;
}

export function chooseRun(run: string): void {
  const { run: shown } = state.address.peek();
  if (run === shown) return;
  const runs = rows(state.runs.peek());
  if (runs.find((one) => one.run === run)?.series === 0 && runs.some((one) => one.series > 0)) {
    tell(`“${run}” holds no tensors; “${shown}” stays on show.`);
    return;
  }
  batch(() => {
    state.note.value = null;
    state.cursor.value = null;
    goTo({ run, tile: null, attempt: null }, 'push');
  });
}

/** Another series keeps the step and the tile, and the choices that were made by hand where they fit. */
export function chooseSeries(series: Series): void {
  const address = state.address.peek();
  if (series.tag === address.tag && state.over.peek() === 'none') return;
  batch(() => {
    state.note.value = null;
    state.cursor.value = null;
    state.over.value = 'none';
    const fits = address.view !== null && series.views.includes(address.view);
    const before = currentSeries.peek();
    const sameSource = before?.source === series.source;
    goTo(
      {
        tag: series.tag,
        view: fits ? address.view : null,
        cmap: sameSource && address.cmap !== 'rgb' ? address.cmap : null,
        range: sameSource && before?.role === series.role ? address.range : null,
        ...((fits ? address.view : series.view) === 'matrix' ? { order: null, labels: null } : {}),
        ...(series.source === 'image' ? { minus_run: null, minus_step: null, match: null } : {}),
        minus_tag: null,
        layout: null,
        channels: null,
        frames: null,
        slice: null,
        sample: null,
        zoom: null,
      },
      'push',
    );
  });
}

/** Goes to the step at a position among the logged ones. The last one, asked for by hand, is still a fixed one. */
export function goToIndex(index: number): void {
  const steps = currentSteps.peek();
  const step = steps[Math.min(steps.length - 1, Math.max(0, index))];
  if (step !== undefined) goTo({ step, attempt: null }, 'replace');
}

export function moveStep(by: number): void {
  const at = landing.peek();
  if (at) goToIndex(at.index + by);
}

/** Lands on the step itself or the nearest before it, and the track says so. */
export function goToStep(step: number): void {
  goTo({ step, attempt: null }, 'replace');
}

export function toggleFollow(): void {
  const at = landing.peek();
  if (state.address.peek().step === null) {
    if (at) goTo({ step: at.step }, 'replace');
  } else {
    state.playing.value = false;
    goTo({ step: null, attempt: null }, 'replace');
  }
}

export function zoomBy(by: number): void {
  const now = zoomNow.peek();
  const next = Math.min(64, Math.max(1, now + by * Math.max(1, Math.floor(now / 6))));
  if (next !== now) goTo({ zoom: next }, 'replace');
}

export function zoomToFit(): void {
  goTo({ zoom: null }, 'replace');
}

/** Opens the tile at a place of the sheet on show. */
export function openTile(place: number): void {
  const info = state.picture.peek()?.info;
  const tile = info ? nameOfTile(info, place) : place;
  goTo({ tile }, state.address.peek().tile === null ? 'push' : 'replace');
}

export function closeTile(): void {
  if (state.address.peek().tile !== null) goTo({ tile: null }, 'push');
}

export function moveCursor(arrow: Arrow, within: boolean): void {
  const info = state.picture.peek()?.info;
  if (!info || info.tiles.length === 0) return;
  const start = state.cursor.peek();
  const place = start?.tile ?? openedPlace.peek();
  const tile = info.tiles[place ?? 0] ?? info.tiles[0];
  if (!tile) return;
  const here = { tile: place ?? 0, row: start?.row ?? tile.h >> 1, col: start?.col ?? tile.w >> 1 };
  if (within) {
    state.cursor.value = { ...stepSpot(here, arrow, tile), by: 'keys' };
    return;
  }
  const next = place === null ? 0 : neighbour(place, arrow, info.tiles.length, info.cols);
  state.cursor.value = { ...here, tile: next, by: 'keys' };
  if (state.address.peek().tile !== null) openTile(next);
}

export function setTheme(theme: Theme): void {
  state.theme.value = theme;
}

/** The link to what is on show, with its step, so that it shows the same tomorrow. */
export function linkHere(): string {
  const step = landing.peek()?.step ?? null;
  const query = encodeAddress({ ...NOWHERE, ...state.address.peek(), step });
  return `${location.origin}${location.pathname}?${query}`;
}
