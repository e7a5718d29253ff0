/** The neutral grey that pictures lie on: one, or two side by side. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { comparison } from '../model/compare';
import { currentNoun } from '../state/axes';
import { besidePicture, compare } from '../state/compare';
import { isRunBare, lists, seriesRun } from '../state/lists';
import { problemIn, refusalIn, rows, valueIn } from '../state/loadable';
import { navigation } from '../state/navigation';
import { numbers } from '../state/numbers';
import { besideQuery, wantedQuery } from '../state/picture-query';
import { pictureRefusal, setDevicePixels, setStageSize, shownPicture } from '../state/stage';
import { Caption } from './compare-strip';
import { isNarrow, useSize } from './hooks';
import { OtherSheet, Sheet } from './sheet';
import { ZoomButtons } from './zoom-buttons';

/** Free grey around a fitted sheet, in CSS pixels on each side. */
const MARGIN_PX = 20;
const MARGIN_NARROW_PX = 6;

export function Stage(): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  useSize(ref, ({ width, height }) => {
    setRoom({ width, height });
    setDevicePixels(window.devicePixelRatio || 1);
  });
  const [room, setRoom] = useState({ width: 0, height: 0 });
  const way = comparison(navigation.address.value)?.way ?? null;
  useLayoutEffect(() => {
    const margin = isNarrow() ? MARGIN_NARROW_PX : MARGIN_PX;
    setStageSize({ width: room.width - 2 * margin, height: room.height - 2 * margin });
  }, [room]);
  return (
    <div class={`stage${way === 'beside' ? ' two' : ''}`} aria-busy={isBusy()}>
      <div class="pane">
        <div class="scroll" ref={ref}>
          {shownPicture.value && !isRunBare.value ? <Sheet /> : <Waiting />}
        </div>
        {way !== null && way !== 'minus' && <Caption info={shownInfo()} />}
      </div>
      {way === 'beside' && <OtherPane />}
      <RunProgress />
      {shownPicture.value && <ZoomButtons />}
    </div>
  );
}

const shownInfo = () => (compare.blinkOther.value ? besidePicture.value?.info : shownPicture.value?.info);

/** Whether a wanted picture is not there yet. */
function isBusy(): boolean {
  const isMissing = pictureRefusal.value === null && shownPicture.value?.query !== wantedQuery.value;
  if (isMissing || comparison(navigation.address.value) === null) return isMissing;
  const query = besideQuery.value;
  return query !== null && refusalIn(compare.beside.value) === null && besidePicture.value?.query !== query;
}

function OtherPane(): JSX.Element {
  const picture = besidePicture.value;
  const problem = refusalIn(compare.beside.value) ?? problemIn(compare.partner.value);
  return (
    <div class="pane">
      <div class="scroll">
        {picture && <OtherSheet picture={picture} />}
        {!picture && problem !== null && (
          <p class="refusal" role="alert">
            {problem}
          </p>
        )}
      </div>
      <Caption info={picture?.info} />
    </div>
  );
}

function Waiting(): JSX.Element | null {
  if (isRunBare.value) {
    const others = rows(lists.runs.value).filter((run) => run.run !== seriesRun.value && run.series > 0);
    return (
      <p class="refusal" role="alert">
        Nothing in run “{seriesRun.value}” can be drawn; the list says why. Run “{others[0]?.run}” has tensors too.
      </p>
    );
  }
  const problem = pictureRefusal.value;
  if (problem !== null) {
    return (
      <p class="refusal" role="alert">
        {problem}
      </p>
    );
  }
  return null;
}

/** The progress of the range over all steps, on top of the picture that was shown before. */
function RunProgress(): JSX.Element | null {
  const range = valueIn(numbers.runRange.value);
  if (!range) return null;
  return (
    <p class="progress" role="status">
      range over the run: {range.steps_done} of {range.steps} {currentNoun.value}s
      <progress aria-label="How much is read" max={range.steps} value={range.steps_done} />
    </p>
  );
}
