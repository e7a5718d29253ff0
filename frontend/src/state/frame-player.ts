/** Plays the frames of the opened picture in a loop, and goes to one of them. */
import { effect } from '@preact/signals';
import { framePlaces } from '../model/frames';
import { openTile } from './actions';
import { goTo } from './navigation';
import { playback, startFrames, stopFrames } from './playback';
import { calmSpeed } from './player';
import { openedPlace, shownPicture } from './stage';

/** Opens a frame of the opened picture by its position, from 0, among those on the sheet. */
export function goToFrame(at: number): void {
  const place = openedPlaces()[at];
  if (place !== undefined) openTile(place);
}

export function toggleFramePlay(): void {
  if (!playback.playingFrames.peek() && openedPlaces().length > 1) startFrames();
  else stopFrames();
}

/** The places of the frames of the opened picture; empty where none is open. */
function openedPlaces(): number[] {
  const tiles = shownPicture.peek()?.info.tiles ?? [];
  const place = openedPlace.peek();
  const tile = place === null ? undefined : tiles[place];
  return tile ? framePlaces(tiles, tile) : [];
}

/** Shows other frames on the sheet and opens the first of them. */
export function chooseFrames(frames: string): void {
  goTo({ frames: frames.trim() || null, tile: 0 }, 'push');
}

function advance(): void {
  if (document.hidden) return;
  const places = openedPlaces();
  const at = places.indexOf(openedPlace.peek() ?? -1);
  const next = places[(at + 1) % places.length];
  if (next !== undefined) openTile(next);
}

export function keepFramesPlaying(): void {
  effect(() => {
    if (openedPlace.value === null) stopFrames();
  });
  effect(() => {
    if (!playback.playingFrames.value) return;
    const timer = setInterval(advance, 1000 / calmSpeed());
    return () => clearInterval(timer);
  });
}
