/** The frames of the opened picture: before, play, after, a slider over those on the sheet, and which these are. */
import type { JSX } from 'preact';
import type { Tile } from '../api/types';
import { framePlaces, framesText } from '../model/frames';
import { someFrames } from '../model/words';
import { chooseFrames, goToFrame, toggleFramePlay } from '../state/frame-player';
import { playback } from '../state/playback';
import { shownPicture } from '../state/stage';
import { IconButton } from './icon-button';

export function FrameBar({ tile }: { tile: Tile }): JSX.Element | null {
  const { frame } = tile;
  const info = shownPicture.value?.info;
  if (!frame || !info || frame.of < 2) return null;
  const places = framePlaces(info.tiles, tile);
  const numbers = places.map((place) => info.tiles[place]?.frame?.number ?? 0);
  const at = numbers.indexOf(frame.number);
  const playing = playback.playingFrames.value;
  const some = someFrames(info);
  return (
    <fieldset class="frames" aria-label="Frames">
      <IconButton icon="previous" words="Previous frame" off={at <= 0} onPress={() => goToFrame(at - 1)} />
      <IconButton
        icon={playing ? 'pause' : 'play'}
        words={playing ? 'Pause the frames' : 'Play the frames'}
        off={false}
        onPress={toggleFramePlay}
      />
      <IconButton icon="next" words="Next frame" off={at === numbers.length - 1} onPress={() => goToFrame(at + 1)} />
      <input
        type="range"
        data-own-arrows
        aria-label="Frame"
        aria-valuetext={`frame ${frame.number} of ${frame.of}`}
        min={1}
        max={numbers.length}
        value={at + 1}
        onInput={(event) => goToFrame(event.currentTarget.valueAsNumber - 1)}
      />
      {some && (
        <label title="Which frames the sheet has, as in 1-64,80 or 1-300/4; empty: as many as fit">
          {some}
          <input
            type="text"
            aria-label="Frames of the sheet"
            value={framesText(numbers)}
            onChange={(event) => chooseFrames(event.currentTarget.value)}
          />
        </label>
      )}
    </fieldset>
  );
}
