/** The scrubber: one notch for every logged step, and a thumb that stops at them only. */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { endWords, stepWords } from '../model/step-axis';
import { indexAtPlace, notches, placeOf } from '../model/steps';
import { goToIndex, moveStep } from '../state/actions';
import { currentAxis } from '../state/axes';
import { currentSteps, shownStep } from '../state/lists';
import { navigation } from '../state/navigation';
import { even, stopPlaying } from '../state/playback';
import { useSize } from './hooks';

export function Track(): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useSize(ref, (size) => setWidth(size.width));
  const steps = currentSteps.value;
  const at = shownStep.value;
  const axis = currentAxis.value;
  const words = (step: number): string => (axis === 'time' ? stepWords(axis, step, steps) : `${axis} ${step}`);
  const [from, to] = endWords(axis, [steps[0] ?? 0, steps[steps.length - 1] ?? 0]);
  const place = at ? placeOf(steps, at.index, even.value) : 0;
  const drag = (event: PointerEvent): void => {
    const box = ref.current?.getBoundingClientRect();
    if (!box || steps.length === 0) return;
    const index = indexAtPlace(steps, (event.clientX - box.left) / box.width, even.peek());
    if (index !== shownStep.peek()?.index || navigation.address.peek().step === null) goToIndex(index);
  };
  return (
    <div
      class="track"
      data-own-arrows
      role="slider"
      tabIndex={0}
      aria-label={{ step: 'Step', epoch: 'Epoch', time: 'Time' }[axis]}
      aria-valuemin={steps[0] ?? 0}
      aria-valuemax={steps[steps.length - 1] ?? 0}
      aria-valuenow={at?.step ?? 0}
      aria-valuetext={at ? `${words(at.step)}, ${at.index + 1} of ${steps.length}` : 'nothing yet'}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        stopPlaying();
        drag(event);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) drag(event);
      }}
      onKeyDown={onKey}
    >
      <div class="rail" ref={ref}>
        <svg class="notches" width={width} height={10} aria-hidden="true">
          <path d={notchPath(steps, even.value, width)} />
        </svg>
        {at && <span class="thumb" style={{ left: `${place * 100}%` }} />}
      </div>
      <span class="from">{steps.length > 1 ? from : ''}</span>
      <span class="to">{steps.length > 0 ? to : ''}</span>
    </div>
  );
}

function notchPath(steps: readonly number[], isEven: boolean, width: number): string {
  return notches(steps, isEven, width)
    .map((place) => `M${Math.min(width - 0.5, Math.max(0.5, Math.round(place * width) + 0.5))} 0v10`)
    .join('');
}

function onKey(event: KeyboardEvent): void {
  const last = currentSteps.peek().length - 1;
  const moves: Record<string, () => void> = {
    ArrowLeft: () => moveStep(-1),
    ArrowDown: () => moveStep(-1),
    ArrowRight: () => moveStep(1),
    ArrowUp: () => moveStep(1),
    PageDown: () => moveStep(-10),
    PageUp: () => moveStep(10),
    Home: () => goToIndex(0),
    End: () => goToIndex(last),
  };
  const move = event.shiftKey ? undefined : moves[event.key];
  if (!move) return;
  event.preventDefault();
  move();
}
