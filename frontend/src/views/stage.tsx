/** The neutral grey that pictures lie on: one, or two side by side. */
import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { comparison } from '../model/compare';
import { besideQuery, wantedQuery } from '../state/picture-query';
import { state } from '../state/store';
import { Caption } from './compare-strip';
import { isNarrow, useSize } from './hooks';
import { OtherSheet, Sheet } from './sheet';
import { ZoomButtons } from './zoom-buttons';

/** Free grey around a fitted sheet, in CSS pixels on each side. */
const MARGIN_PX = 20;
/** Beside another picture there is less grey for the zoom buttons to lie on, and on a phone hardly any at all. */
const MARGIN_OF_TWO_PX = 48;
const MARGIN_NARROW_PX = 6;

export function Stage(): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  useSize(ref, ({ width, height }) => {
    setRoom({ width, height });
    state.devicePixels.value = window.devicePixelRatio || 1;
  });
  const [room, setRoom] = useState({ width: 0, height: 0 });
  const way = comparison(state.address.value)?.way ?? null;
  useLayoutEffect(() => {
    const across = way === 'beside' ? (isNarrow() ? MARGIN_NARROW_PX : MARGIN_OF_TWO_PX) : MARGIN_PX;
    state.stageSize.value = { width: room.width - 2 * across, height: room.height - 2 * MARGIN_PX };
  }, [room, way]);
  return (
    <div class={`stage${way === 'beside' ? ' two' : ''}`} aria-busy={isBusy()}>
      <div class="pane">
        <div class="scroll" ref={ref}>
          {state.picture.value ? <Sheet /> : <Waiting />}
        </div>
        {way !== null && way !== 'minus' && <Caption info={shownInfo()} />}
      </div>
      {way === 'beside' && <OtherPane />}
      <RunProgress />
      {state.picture.value && <ZoomButtons />}
    </div>
  );
}

const shownInfo = () => (state.blinkOther.value ? state.beside.value?.info : state.picture.value?.info);

/** Whether a picture that is wished for is not there yet. */
function isBusy(): boolean {
  const isMissing = state.pictureProblem.value === null && state.picture.value?.query !== wantedQuery.value;
  if (isMissing || comparison(state.address.value) === null) return isMissing;
  const query = besideQuery.value;
  return query !== null && state.besideProblem.value === null && state.beside.value?.query !== query;
}

function OtherPane(): JSX.Element {
  const picture = state.beside.value;
  const problem = state.besideProblem.value ?? state.partnerProblem.value;
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

function Waiting(): JSX.Element {
  const problem = state.pictureProblem.value;
  if (problem !== null) {
    return (
      <p class="refusal" role="alert">
        {problem}
      </p>
    );
  }
  const isQuiet = state.pictureBusy.value || state.runRange.value !== null;
  return <p class="refusal waiting">{isQuiet ? '' : 'Nothing is chosen yet.'}</p>;
}

/** The range over all steps takes a while: how far it is, over the picture that was on show. */
function RunProgress(): JSX.Element | null {
  const range = state.runRange.value;
  if (!range) return null;
  return (
    <p class="progress" role="status">
      range over the run: {range.steps_done} of {range.steps} steps
      <progress aria-label="Steps read" max={range.steps} value={range.steps_done} />
    </p>
  );
}
