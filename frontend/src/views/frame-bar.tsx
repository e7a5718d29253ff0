/** The frames of the opened picture: before, play, after, and a slider over all of them. */
import type { JSX } from 'preact';
import type { Tile } from '../api/types';
import { goToFrame, toggleFramePlay } from '../state/frame-player';
import { state } from '../state/store';
import { Press } from './press';

export function FrameBar({ tile }: { tile: Tile }): JSX.Element | null {
  const { frame } = tile;
  if (!frame || frame.of < 2) return null;
  const { number, of } = frame;
  const playing = state.playingFrames.value;
  return (
    <fieldset class="frames" aria-label="Frames">
      <Press icon="previous" words="Frame before" off={number === 1} onPress={() => goToFrame(number - 1)} />
      <Press
        icon={playing ? 'pause' : 'play'}
        words={playing ? 'Pause the frames' : 'Play the frames'}
        off={false}
        onPress={toggleFramePlay}
      />
      <Press icon="next" words="Frame after" off={number === of} onPress={() => goToFrame(number + 1)} />
      <input
        type="range"
        data-own-arrows
        aria-label="Frame"
        aria-valuetext={`frame ${number} of ${of}`}
        min={1}
        max={of}
        value={number}
        onInput={(event) => goToFrame(event.currentTarget.valueAsNumber)}
      />
    </fieldset>
  );
}
