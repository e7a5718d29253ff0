/** Keeps the wanted picture on the stage, and those of the neighbouring steps in memory. */
import { effect } from '@preact/signals';
import { type Answer, fetchPicture, type Picture } from '../api/client';
import { besidePicture } from './compare';
import { currentSteps, shownStep } from './lists';
import { navigation } from './navigation';
import { besideQuery, sheetQuery, wantedQuery } from './picture-query';
import { playback } from './playback';
import { awaitPicture, endAwaitingPicture, forgetRefusal, refusePicture, shownPicture, showPicture } from './stage';

/** Pixels of decoded pictures to keep, at four bytes each: 96 MB. */
const KEPT_PIXELS = 24_000_000;

/** The status of a server that cannot answer at the moment. */
const BUSY = 503;
const BUSY_PAUSE_MS = 1000;

const kept = new Map<string, Picture>();
const underway = new Map<string, { abort: AbortController; answer: Promise<Answer<Picture>> }>();

function keep(picture: Picture): void {
  kept.delete(picture.query);
  kept.set(picture.query, picture);
  let pixels = 0;
  for (const one of kept.values()) pixels += one.info.width * one.info.height;
  for (const [query, one] of kept) {
    if (pixels <= KEPT_PIXELS || query === picture.query) break;
    if (one === shownPicture.peek() || one === besidePicture.peek()) continue;
    kept.delete(query);
    one.bitmap.close();
    pixels -= one.info.width * one.info.height;
  }
}

/** The picture of a query: from memory, from a request that is running, or from a new one. */
export function loadPicture(query: string): Promise<Answer<Picture>> {
  const ready = kept.get(query);
  if (ready) {
    keep(ready);
    return Promise.resolve({ kind: 'ok', value: ready });
  }
  const running = underway.get(query);
  if (running) return running.answer;
  const abort = new AbortController();
  const answer = fetchPicture(query, abort.signal).then((got) => {
    underway.delete(query);
    if (got.kind === 'ok') keep(got.value);
    return got;
  });
  underway.set(query, { abort, answer });
  return answer;
}

/** A query without its step: it is the same for all steps of one series with the same choices. */
const withoutStep = (query: string): string => query.replace(/(^|&)step=[^&]*/, '');

function abortOthers(wanted: string): void {
  const beside = besideQuery.peek();
  const wantedSeries = [withoutStep(wanted), beside === null ? '' : withoutStep(beside)];
  for (const [query, one] of underway) {
    if (!wantedSeries.includes(withoutStep(query))) one.abort.abort();
  }
}

let busy = false;

/**
 * Shows wanted pictures one after another. While one is fetched another may become wanted; the one that came is shown
 * anyway if it differs in the step alone, so that a fast drag shows pictures on its way.
 */
async function pursue(): Promise<void> {
  if (busy) return;
  busy = true;
  for (;;) {
    const query = wantedQuery.peek();
    if (query === null || document.hidden) break;
    if (query === shownPicture.peek()?.query) break;
    if (kept.has(query)) endAwaitingPicture();
    else awaitPicture();
    const answer = await loadPicture(query);
    const wanted = wantedQuery.peek();
    if (answer.kind === 'aborted' || wanted === null || withoutStep(wanted) !== withoutStep(query)) continue;
    if (answer.kind === 'ok') show(answer.value);
    else if (wanted === query) {
      fail(answer);
      break;
    }
  }
  endAwaitingPicture();
  busy = false;
}

function show(picture: Picture): void {
  showPicture(picture);
  fetchNeighbours();
}

function fail(answer: Answer<Picture>): void {
  // The connection shows that the server is down; the last picture stays meanwhile.
  if (answer.kind === 'unreachable') return;
  if (answer.kind !== 'refused') return;
  // The server is busy, for example with reading all steps for a range, and goes on with it.
  if (answer.status === BUSY) {
    setTimeout(() => void pursue(), BUSY_PAUSE_MS);
    return;
  }
  refusePicture(answer.message);
}

/** Fetches the neighbouring steps: two in each direction, four ahead while playing. */
function fetchNeighbours(): void {
  const at = shownStep.peek();
  if (!at || document.hidden) return;
  const steps = currentSteps.peek();
  const offsets = playback.playing.peek() ? [1, 2, 3, 4] : [1, -1, 2, -2];
  for (const offset of offsets) {
    const step = steps[at.index + offset];
    const query = step === undefined ? null : sheetQuery(navigation.address.peek(), step);
    if (query !== null) void loadPicture(query);
  }
}

/** Asks again after a refusal or a lost connection. */
export function retryPicture(): void {
  forgetRefusal();
  void pursue();
}

export function keepPictureCurrent(): void {
  effect(() => {
    const query = wantedQuery.value;
    if (query === null) return;
    abortOthers(query);
    const ready = kept.get(query);
    if (ready) show(ready);
    else void pursue();
  });
}
