/** What a user can do. */
import { batch } from '@preact/signals';
import type { Series } from '../api/types';
import { encodeAddress, NOWHERE } from '../model/address';
import { leavingAxis } from '../model/compare';
import { type Arrow, neighbour, step as stepSpot } from '../model/geometry';
import { nameOfTile } from '../model/tiles';
import { currentSeries, currentSteps, lists, shownStep } from './lists';
import { rows } from './loadable';
import { clearNote, goTo, navigation, tell } from './navigation';
import { closeOverlay, panels } from './panels';
import { stopPlaying } from './playback';
import { clearCursor, pointAt, pointing } from './pointing';
import { openedPlace, shownPicture, zoomNow } from './stage';

export function chooseRun(run: string): void {
  const { run: shown } = navigation.address.peek();
  if (run === shown) return;
  const runs = rows(lists.runs.peek());
  if (runs.find((one) => one.run === run)?.series === 0 && runs.some((one) => one.series > 0)) {
    tell(`“${run}” has no tensors; “${shown}” stays on the page.`);
    return;
  }
  batch(() => {
    clearNote();
    clearCursor();
    goTo({ run, tile: null, attempt: null }, 'push');
  });
}

/** Shows another series at the same step and tile, with the user's choices that fit it. */
export function chooseSeries(series: Series): void {
  const address = navigation.address.peek();
  if (series.tag === address.tag && panels.overlay.peek() === 'none') return;
  batch(() => {
    clearNote();
    clearCursor();
    closeOverlay();
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
        ...(before ? leavingAxis(address, before, series) : {}),
        ...(series.source === 'image' ? { minus_run: null, minus_step: null, match: null } : {}),
        minus_tag: null,
        with_tag: null,
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

/** Goes to the step at a position in the list. The page stays there, even at the last one, when more are logged. */
export function goToIndex(index: number): void {
  const steps = currentSteps.peek();
  const step = steps[Math.min(steps.length - 1, Math.max(0, index))];
  if (step !== undefined) goTo({ step, attempt: null }, 'replace');
}

export function moveStep(by: number): void {
  const at = shownStep.peek();
  if (at) goToIndex(at.index + by);
}

/** Goes to a step, or to the nearest logged one before it, which the step bar then says. */
export function goToStep(step: number): void {
  goTo({ step, attempt: null }, 'replace');
}

export function toggleFollow(): void {
  const at = shownStep.peek();
  if (navigation.address.peek().step === null) {
    if (at) goTo({ step: at.step }, 'replace');
  } else {
    stopPlaying();
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
  const info = shownPicture.peek()?.info;
  const tile = info ? nameOfTile(info, place) : place;
  goTo({ tile }, navigation.address.peek().tile === null ? 'push' : 'replace');
}

export function closeTile(): void {
  if (navigation.address.peek().tile !== null) goTo({ tile: null }, 'push');
}

export function moveCursor(arrow: Arrow, within: boolean): void {
  const info = shownPicture.peek()?.info;
  if (!info || info.tiles.length === 0) return;
  const start = pointing.cursor.peek();
  const place = start?.tile ?? openedPlace.peek();
  const tile = info.tiles[place ?? 0] ?? info.tiles[0];
  if (!tile) return;
  const here = { tile: place ?? 0, row: start?.row ?? tile.h >> 1, col: start?.col ?? tile.w >> 1 };
  if (within) {
    pointAt(stepSpot(here, arrow, tile), 'keys');
    return;
  }
  const next = place === null ? 0 : neighbour(place, arrow, info.tiles.length, info.cols);
  pointAt({ ...here, tile: next }, 'keys');
  if (navigation.address.peek().tile !== null) openTile(next);
}

/** The link to what is on show, with its step, so that it always shows the same. */
export function linkHere(): string {
  const step = shownStep.peek()?.step ?? null;
  const query = encodeAddress({ ...NOWHERE, ...navigation.address.peek(), step });
  return `${location.origin}${location.pathname}?${query}`;
}
