/** The line above the stage during a comparison: what is compared, in which way, and the distance of both. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Difference, SheetInfo } from '../api/types';
import { averagesBeside } from '../model/averages';
import { comparison, pairWords, WAYS } from '../model/compare';
import { count, digits4 } from '../model/format';
import { stepNumber, stepWords } from '../model/step-axis';
import { currentAxis, momentOf } from '../state/axes';
import { besidePicture, compare } from '../state/compare';
import { changePartner, compareWithTag, stopComparing, toggleCompare, toggleMatch } from '../state/compare-actions';
import { currentSeries, currentSteps, lists } from '../state/lists';
import { problemIn, rows, valueIn } from '../state/loadable';
import { navigation } from '../state/navigation';
import { numbers } from '../state/numbers';
import { partner, partnerAxis, partnerSteps } from '../state/partner';
import { shownPicture } from '../state/stage';
import { Icon } from './icons';

export function CompareStrip(): JSX.Element | null {
  const now = comparison(navigation.address.value);
  if (!now) return null;
  const problem = problemIn(compare.partner.value);
  return (
    <div class="compare">
      <fieldset class="segments" aria-label="Compare">
        {WAYS.map(({ way, words, title }) => (
          <button
            key={way}
            type="button"
            title={title}
            aria-pressed={way === now.way}
            disabled={way === 'minus' && currentSeries.value?.source === 'image'}
            onClick={() => way !== now.way && toggleCompare(way)}
          >
            {words}
          </button>
        ))}
      </fieldset>
      <span>{now.way === 'minus' ? 'minus' : 'with'}</span>
      <RunChoice run={now.run} tag={now.tag ?? null} />
      <StepChoice step={now.step} />
      {now.way === 'minus' && <Apart />}
      {problem !== null && <span role="alert">{problem}</span>}
      <button type="button" class="plain" aria-label="Stop comparing" title="Stop comparing" onClick={stopComparing}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** Runs, and the averages beside the weights, which stand behind a line feed: no name of a run has one. */
function RunChoice({ run, tag }: { run: string | null; tag: string | null }): JSX.Element | null {
  const series = currentSeries.value;
  const others = rows(lists.runs.value).filter((one) => one.run !== series?.run && one.series > 0);
  const averages = series ? averagesBeside(series, rows(lists.series.value.list)) : [];
  if (others.length === 0 && averages.length === 0) return null;
  const words = (name: string): string => (name === '.' ? 'this directory' : name);
  const choose = (wanted: string): void => {
    const first = currentSteps.peek()[0] ?? null;
    if (wanted === '') changePartner({ run: null, step: first });
    else if (wanted.startsWith('\n')) compareWithTag(wanted.slice(1));
    else changePartner({ run: wanted, step: null });
  };
  return (
    <label class="select">
      <span class="unseen">run to compare with</span>
      <select value={tag === null ? (run ?? '') : `\n${tag}`} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">this run</option>
        {averages.map((one) => (
          <option key={one.tag} value={`\n${one.tag}`}>
            {one.tag}
          </option>
        ))}
        {others.map((one) => (
          <option key={one.run} value={one.run}>
            {words(one.run)}
          </option>
        ))}
      </select>
    </label>
  );
}

/**
 * The step that is compared with. With another run it may be left open: then both runs show the same step, or the other
 * run its newest where its steps count something else.
 */
function StepChoice({ step }: { step: number | null }): JSX.Element {
  const open = partnerAxis.value === currentAxis.value ? 'the same' : 'newest';
  return partnerAxis.value === 'time' ? (
    <TimeChoice step={step} open={open} />
  ) : (
    <NumberChoice step={step} open={open} />
  );
}

/** Whether its step may be left open. */
const isOfAnotherSeries = (now: ReturnType<typeof comparison>): boolean =>
  now !== null && (now.run !== null || now.tag !== undefined);

interface ChoiceProps {
  step: number | null;
  /** What is shown where none is chosen. */
  open: string;
}

function TimeChoice({ step, open }: ChoiceProps): JSX.Element {
  const steps = partnerSteps.value;
  const isOther = isOfAnotherSeries(comparison(navigation.address.value));
  return (
    <label class="select">
      <span class="unseen">time</span>
      <select
        class="time"
        aria-label="time to compare with"
        value={step === null ? '' : String(partner.value?.step ?? step)}
        onChange={(event) =>
          changePartner({ step: event.currentTarget.value === '' ? null : Number(event.currentTarget.value) })
        }
      >
        {isOther && <option value="">{open}</option>}
        {steps.map((one) => (
          <option key={one} value={String(one)}>
            {stepWords('time', one, steps)}
          </option>
        ))}
      </select>
    </label>
  );
}

function NumberChoice({ step, open }: ChoiceProps): JSX.Element {
  const axis = partnerAxis.value;
  const [text, setText] = useState('');
  useEffect(() => setText(step === null ? '' : String(step)), [step]);
  const isOther = isOfAnotherSeries(comparison(navigation.address.value));
  const apply = (): void => {
    const wanted = Number(text);
    if (text.trim() === '' && isOther) changePartner({ step: null });
    else if (text.trim() !== '' && Number.isSafeInteger(wanted) && wanted !== step) changePartner({ step: wanted });
    else setText(step === null ? '' : String(step));
  };
  const shown = partner.value?.step;
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
          type="text"
          inputMode="numeric"
          aria-label={`${axis} to compare with`}
          placeholder={isOther ? open : ''}
          list="partner-steps"
          size={Math.max(7, text.length)}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onBlur={apply}
        />
      </label>
      <datalist id="partner-steps">
        {(partnerSteps.value.length > 500 ? [] : partnerSteps.value).map((one) => (
          <option key={one} value={String(one)} />
        ))}
      </datalist>
      {shown !== undefined && step !== null && shown !== step && <small> at {stepNumber(axis, shown)}</small>}
    </form>
  );
}

/** The numbers of a difference. */
function Apart(): JSX.Element {
  const shown = shownPicture.value?.info;
  const isKernel = currentSeries.value?.role === 'kernel';
  const found = valueIn(numbers.difference.value);
  const fits = found && shown?.minus && found.step === shown.step && found.minus.step === shown.minus.step;
  return (
    <>
      {isKernel && (
        <button
          type="button"
          class="quiet"
          aria-pressed={navigation.address.value.match === 'cosine'}
          title="Pair the filters by similarity first: their order differs between trainings"
          onClick={toggleMatch}
        >
          match by similarity
        </button>
      )}
      {fits && <span class="apart">{apartWords(found)}</span>}
    </>
  );
}

function apartWords({ tensor, matching, per }: Difference): JSX.Element {
  return (
    <>
      <span title="L2 norm of the difference">norm {digits4(tensor.norm)}</span>{' '}
      <span title="norm of the difference / norm of what is subtracted">relative {digits4(tensor.relative_norm)}</span>{' '}
      <span title="cosine of the angle between both">cosine {digits4(tensor.cosine)}</span>
      {matching && (
        <span
          title={`mean cosine ${digits4(matching.mean_cosine)}, by index ${digits4(matching.mean_cosine_by_index)}`}
        >
          {' '}
          {count(matching.moved.length, per ?? 'filter')} moved
        </span>
      )}
    </>
  );
}

/** Which step of which run a picture is of. */
export function Caption({ info }: { info: SheetInfo | undefined }): JSX.Element | null {
  if (!info) return null;
  const isOther = besidePicture.value?.info === info;
  const run = info.run === '.' ? '' : `${info.run}, `;
  return <p class={`caption${isOther ? ' other' : ''}`}>{`${run}${momentOf(info)}`}</p>;
}

/** `step 40 − step 0` for the legend. */
export const minusWords = (info: SheetInfo): string | null =>
  info.minus ? pairWords([info, info.minus], '−', momentOf) : null;
