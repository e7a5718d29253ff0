/** Keeps the stage showing the wanted picture, and the ones beside it at hand. */
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

/** The status of an answer that may be another one in a moment. */
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

/** A picture that is at hand, under way, or asked for now. */
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

/** Everything in a query but the step: pictures that differ in it are not of one film. */
const film = (query: string): string => query.replace(/(^|&)step=[^&]*/, '');

function abortOthers(wanted: string): void {
  const beside = besideQuery.peek();
  const films = [film(wanted), beside === null ? '' : film(beside)];
  for (const [query, one] of underway) {
    if (!films.includes(film(query))) one.abort.abort();
  }
}

let busy = false;

/**
 * Shows wanted pictures one after another. While one is fetched the wish may move on; the one that came is shown
 * all the same when it is of the same film, so that a fast drag moves instead of starving.
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
    if (answer.kind === 'aborted' || wanted === null || film(wanted) !== film(query)) continue;
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
  // A dead server is told by the connection; the last picture stays meanwhile.
  if (answer.kind === 'unreachable') return;
  if (answer.kind !== 'refused') return;
  // A server that has much to do, as to read all steps for a range, says so, and gets on with it.
  if (answer.status === BUSY) {
    setTimeout(() => void pursue(), BUSY_PAUSE_MS);
    return;
  }
  refusePicture(answer.message);
}

/** Fetches the steps beside the one on show: two each way, four ahead while playing. */
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

/** Tries again after trouble. */
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
