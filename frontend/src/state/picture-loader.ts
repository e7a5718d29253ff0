/** Keeps the stage showing the wanted picture, and the ones beside it at hand. */
import { batch, effect } from '@preact/signals';
import { type Answer, fetchPicture, type Picture } from '../api/client';
import { isInOrder, nameOfTile, placeOfTile } from '../model/tiles';
import { besideQuery, sheetQuery, wantedQuery } from './picture-query';
import { currentSteps, landing, state } from './store';

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
    if (one === state.picture.value || one === state.beside.value) continue;
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
    if (query === state.picture.peek()?.query) break;
    state.pictureBusy.value = !kept.has(query);
    const answer = await loadPicture(query);
    const wanted = wantedQuery.peek();
    if (answer.kind === 'aborted' || wanted === null || film(wanted) !== film(query)) continue;
    if (answer.kind === 'ok') show(answer.value);
    else if (wanted === query) {
      fail(answer);
      break;
    }
  }
  state.pictureBusy.value = false;
  busy = false;
}

function show(picture: Picture): void {
  state.pictureProblem.value = null;
  const before = state.picture.peek();
  batch(() => {
    state.picture.value = picture;
    if (before) keepCursorOnItsTile(before, picture);
  });
  fetchNeighbours();
}

/** In another order the cursor goes with its filter, as the opened tile does, so that both speak of the same one. */
function keepCursorOnItsTile(before: Picture, { info }: Picture): void {
  const cursor = state.cursor.peek();
  const isSameSheet = before.info.tag === info.tag && before.info.view === info.view;
  if (!cursor || !isSameSheet || (isInOrder(before.info) && isInOrder(info))) return;
  const place = placeOfTile(info, nameOfTile(before.info, cursor.tile));
  state.cursor.value = place === null ? null : { ...cursor, tile: place };
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
  state.picture.value = null;
  state.pictureProblem.value = answer.message;
}

/** Fetches the steps beside the one on show: two each way, four ahead while playing. */
function fetchNeighbours(): void {
  const at = landing.peek();
  if (!at || document.hidden) return;
  const steps = currentSteps.peek();
  const offsets = state.playing.peek() ? [1, 2, 3, 4] : [1, -1, 2, -2];
  for (const offset of offsets) {
    const step = steps[at.index + offset];
    const query = step === undefined ? null : sheetQuery(state.address.peek(), step);
    if (query !== null) void loadPicture(query);
  }
}

/** Tries again after trouble. */
export function retryPicture(): void {
  if (state.pictureProblem.peek() !== null) state.pictureProblem.value = null;
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
