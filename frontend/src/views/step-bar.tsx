/** The steps: first, before, play, after, last; the track; the box; speed and following. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { clock, grouped } from '../model/format';
import { type StepAxis, stepNumber } from '../model/step-axis';
import { goToIndex, goToStep, moveStep, toggleFollow } from '../state/actions';
import { currentAxis, currentNoun } from '../state/axes';
import { currentSteps, following, shownStep } from '../state/lists';
import { goTo, navigation } from '../state/navigation';
import { even, playback, SPEEDS, setEvenNotches, setSpeed } from '../state/playback';
import { togglePlay } from '../state/player';
import { shownPicture } from '../state/stage';
import { IconButton } from './icon-button';
import { Icon } from './icons';
import { Track } from './track';

export function StepBar(): JSX.Element {
  const steps = currentSteps.value;
  const at = shownStep.value;
  const first = !at || at.index === 0;
  const last = !at || at.index === steps.length - 1;
  const playing = playback.playing.value;
  const [axis, noun] = [currentAxis.value, currentNoun.value];
  const capital = noun.charAt(0).toUpperCase() + noun.slice(1);
  return (
    <footer class="steps">
      <fieldset class="transport" aria-label={`${capital}s`}>
        <IconButton icon="first" words={`First ${noun}`} off={first} onPress={() => goToIndex(0)} />
        <IconButton icon="previous" words={`Previous ${noun} ([)`} off={first} onPress={() => moveStep(-1)} />
        <IconButton
          icon={playing ? 'pause' : 'play'}
          words={playing ? 'Pause (Space)' : 'Play (Space)'}
          off={steps.length < 2}
          onPress={togglePlay}
        />
        <IconButton icon="next" words={`Next ${noun} (])`} off={last} onPress={() => moveStep(1)} />
        <IconButton icon="last" words={`Last ${noun}`} off={last} onPress={() => goToIndex(steps.length - 1)} />
      </fieldset>
      <Track />
      <div class="step">
        {axis === 'time' ? <TimeBox /> : <StepBox axis={axis} />}
        <Said />
      </div>
      <div class="pace">
        <Attempts />
        <label class="select">
          <span class="unseen">{capital}s per second</span>
          <select
            value={playback.speed.value}
            title={`${capital}s per second`}
            onChange={(event) => setSpeed(Number(event.currentTarget.value))}
          >
            {SPEEDS.map((speed) => (
              <option key={speed} value={speed}>
                {speed}/s
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="quiet"
          aria-pressed={even.value}
          title={`Notches at equal distances, or placed by their ${axis}`}
          onClick={() => setEvenNotches(!even.peek())}
        >
          evenly
        </button>
        <button
          type="button"
          class="quiet follow"
          aria-pressed={following.value}
          title={`Follow the latest ${noun} (f)`}
          onClick={toggleFollow}
        >
          <Icon name="follow" />
          follow
        </button>
      </div>
    </footer>
  );
}

function StepBox({ axis }: { axis: StepAxis }): JSX.Element {
  const step = shownStep.value?.step;
  const [text, setText] = useState('');
  useEffect(() => setText(step === undefined ? '' : String(step)), [step]);
  const apply = (): void => {
    const wanted = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(wanted) && wanted !== step) goToStep(wanted);
    // The nearest logged step may be the one on show, which the box then says again.
    const shown = shownStep.peek()?.step;
    setText(shown === undefined ? '' : String(shown));
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <label class="select">
        <span>{axis}</span>
        <input
          id="step"
          type="text"
          inputMode="numeric"
          value={text}
          size={Math.max(5, text.length)}
          onInput={(event) => setText(event.currentTarget.value)}
          onFocus={(event) => event.currentTarget.select()}
          onBlur={apply}
        />
      </label>
    </form>
  );
}

/** Times are chosen from those that there are. */
function TimeBox(): JSX.Element {
  const steps = currentSteps.value;
  return (
    <label class="select">
      <span class="unseen">time</span>
      <select id="step" value={shownStep.value?.step} onChange={(event) => goToStep(Number(event.currentTarget.value))}>
        {steps.map((step) => (
          <option key={step} value={step}>
            {stepNumber('time', step, steps)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Whether another step is shown than the wanted one; otherwise how many steps there are and when this one was written. */
function Said(): JSX.Element {
  const at = shownStep.value;
  const steps = currentSteps.value;
  const info = shownPicture.value?.info;
  if (at?.note) return <small class="said">{at.note}</small>;
  const isTime = currentAxis.value === 'time';
  const when = !isTime && info && at && info.step === at.step ? clock(info.wall_time, new Date()) : '';
  return (
    <small>
      {at ? `${grouped(at.index + 1)} of ${grouped(steps.length)}` : ''}
      {when !== '' && <span class="when"> · {when}</span>}
    </small>
  );
}

/** If a restart logged a step again, the older tensors can still be shown. */
function Attempts(): JSX.Element | null {
  const info = shownPicture.value?.info;
  if (!info || info.attempts < 2) return null;
  return (
    <label class="select">
      <span>attempt</span>
      <select
        value={navigation.address.value.attempt ?? 0}
        onChange={(event) => goTo({ step: info.step, attempt: Number(event.currentTarget.value) || null }, 'push')}
      >
        {Array.from({ length: info.attempts }, (_, back) => (
          <option key={back} value={back}>
            {back === 0 ? 'newest' : `${back} before`}
          </option>
        ))}
      </select>
    </label>
  );
}
