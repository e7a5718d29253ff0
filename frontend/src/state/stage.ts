/** State: the picture on the stage, the values behind it, its colours, and the room that it has. */
import { batch, computed } from '@preact/signals';
import type { Answer, Picture } from '../api/client';
import type { Colormap, Series } from '../api/types';
import { fittingZoom } from '../model/geometry';
import type { Floats } from '../model/npy';
import { isInOrder, nameOfTile, placeOfTile } from '../model/tiles';
import { type NumberWords, numberWords } from '../model/words';
import { fields, type Readings } from './group';
import { lists } from './lists';
import { answered, IDLE, type Loadable, loading, ready, refusalIn, rows, settledIn, valueIn } from './loadable';
import { navigation } from './navigation';
import { moveCursorToTile, pointing } from './pointing';

/** The values behind a picture. */
export interface Values {
  /** The query of the picture. */
  query: string;
  floats: Floats;
}

interface Stage {
  /** While the next picture loads, what was on the stage stays: a picture, or why there is none. */
  picture: Loadable<Picture>;
  /** Asked for once somebody points at the picture. */
  values: Loadable<Values>;
  /** The table of the colour map on show. */
  colormap: Loadable<Colormap>;
  /** CSS pixels of the stage that pictures may take. */
  size: { width: number; height: number };
  /** Device pixels per CSS pixel. */
  devicePixels: number;
}

const own = fields<Stage>({
  picture: IDLE,
  values: IDLE,
  colormap: IDLE,
  size: { width: 0, height: 0 },
  devicePixels: 1,
});
export const stage: Readings<Stage> = own;

/** The picture in sight; null where there is none. */
export const shownPicture = computed<Picture | null>(() => valueIn(own.picture.value));

/** Why the server does not draw what was asked for; null where it does. */
export const pictureRefusal = computed<string | null>(() => refusalIn(own.picture.value));

/** The values behind the picture in sight; null until they are here. */
export const shownValues = computed<Values | null>(() => {
  const values = valueIn(own.values.value);
  return values !== null && values.query === shownPicture.value?.query ? values : null;
});

/** The series that the picture in sight is of; null where the list has gone on to another run. */
export const pictureSeries = computed<Series | null>(() => {
  const info = shownPicture.value?.info;
  if (!info) return null;
  const all = rows(lists.series.value.list);
  return all.find((series) => series.tag === info.tag && series.run === info.run) ?? null;
});

/** Whether the picture in sight is of bytes that were logged encoded, and not of a tensor's numbers. */
export const pictureIsBytes = computed<boolean>(() => pictureSeries.value?.source === 'image');

/** How the numbers of the picture in sight are written. */
export const pictureNumbers = computed<NumberWords>(() => numberWords(pictureIsBytes.value ? 'image' : 'tensor'));

/** Where the opened tile stands on the sheet in sight; null where none is open. */
export const openedPlace = computed<number | null>(() => {
  const { tile } = navigation.address.value;
  const info = shownPicture.value?.info;
  return tile === null || !info ? null : placeOfTile(info, tile);
});

/** Device pixels per sheet pixel. */
export const zoomNow = computed<number>(() => {
  const chosen = navigation.address.value.zoom;
  const info = shownPicture.value?.info;
  if (chosen !== null && chosen >= 1) return Math.min(64, chosen);
  return info ? fittingZoom(info, own.size.value, own.devicePixels.value) : 1;
});

/** CSS pixels per sheet pixel: whole device pixels, so that no edge is blurred. */
export const cssZoom = computed<number>(() => zoomNow.value / own.devicePixels.value);

/** A picture is on its way that is not in sight yet. */
export function awaitPicture(): void {
  own.picture.value = loading(own.picture.peek());
}

/** No picture is on its way any more; what was in sight stays. */
export function endAwaitingPicture(): void {
  own.picture.value = settledIn(own.picture.peek());
}

export function showPicture(picture: Picture): void {
  const before = shownPicture.peek();
  batch(() => {
    own.picture.value = ready(picture);
    if (before) keepCursorOnItsTile(before, picture);
  });
}

/** In another order the cursor goes with its filter, as the opened tile does, so that both speak of the same one. */
function keepCursorOnItsTile(before: Picture, { info }: Picture): void {
  const cursor = pointing.cursor.peek();
  const isSameSheet = before.info.tag === info.tag && before.info.view === info.view;
  if (!cursor || !isSameSheet || (isInOrder(before.info) && isInOrder(info))) return;
  moveCursorToTile(placeOfTile(info, nameOfTile(before.info, cursor.tile)));
}

/** Puts the server's refusal in the place of the picture. */
export function refusePicture(message: string): void {
  own.picture.value = { kind: 'failed', message, refused: true, last: null };
}

/** Forgets a refusal, so that the picture is asked for again. */
export function forgetRefusal(): void {
  if (pictureRefusal.peek() === null) return;
  own.picture.value = own.picture.peek().kind === 'loading' ? { kind: 'loading', before: IDLE } : IDLE;
}

export function forgetValues(): void {
  own.values.value = IDLE;
}

export function awaitValues(): void {
  own.values.value = { kind: 'loading', before: IDLE };
}

/** Takes the values of the picture in sight. */
export function takeValues(answer: Answer<Values>): void {
  own.values.value = answered(answer, own.values.peek());
}

export function awaitColormap(): void {
  own.colormap.value = { kind: 'loading', before: IDLE };
}

export function takeColormap(answer: Answer<Colormap>): void {
  own.colormap.value = answered(answer, own.colormap.peek());
}

export function setStageSize(size: Stage['size']): void {
  own.size.value = size;
}

export function setDevicePixels(ratio: number): void {
  own.devicePixels.value = ratio;
}
