/** A film of the steps, or of the frames of one step, to download: from, to, every Nth, how fast, in which format. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { apiAddress } from '../api/client';
import { type FilmWish, FORMATS, filmOptions, filmProblem, frameCount, frameNumbers } from '../model/film';
import { count } from '../model/format';
import { framesOfAll } from '../model/frames';
import { queryString } from '../model/query';
import { NOUNS, stepAxis, stepWords } from '../model/step-axis';
import { momentOf } from '../state/axes';
import { currentSteps } from '../state/lists';
import { navigation } from '../state/navigation';
import { choicesQuery } from '../state/picture-query';
import { playback } from '../state/playback';
import { pictureSeries, shownPicture, zoomNow } from '../state/stage';
import { Dialog } from './dialog';
import { Icon } from './icons';

export function FilmSheet(): JSX.Element {
  return (
    <Dialog name="film" title="Film">
      <Maker />
    </Dialog>
  );
}

function Maker(): JSX.Element | null {
  const steps = currentSteps.value;
  const series = pictureSeries.value;
  const info = shownPicture.value?.info;
  const frames = frameNumbers((info && framesOfAll(info)) ?? 0);
  const overFrames = frames.length > 0 && (steps.length < 2 || navigation.address.peek().tile !== null);
  const [wish, setWish] = useState<FilmWish>({
    over: overFrames ? 'frames' : 'steps',
    from: overFrames ? 1 : (steps[0] ?? null),
    to: null,
    every: 1,
    fps: playback.speed.peek(),
    format: 'apng',
    stamp: true,
  });
  if (!series || !info || steps.length === 0) return <p>Nothing was logged yet.</p>;
  const change = (part: Partial<FilmWish>): void => setWish({ ...wish, ...part });
  const isOverFrames = wish.over === 'frames';
  const numbers = isOverFrames ? frames : steps;
  const axis = stepAxis(series);
  const one = isOverFrames ? 'frame' : NOUNS[axis];
  const problem = filmProblem(numbers, wish, NOUNS[axis]);
  const { run, tag, version } = series;
  const chosen = choicesQuery(navigation.address.value);
  // In a film of frames a sample is one of the pictures, and not a frame.
  const sample = isOverFrames ? undefined : chosen.sample;
  const choices = { ...chosen, sample, zoom: Math.min(zoomNow.value, 16) };
  const address = apiAddress(
    'film',
    queryString({ run, tag, ...choices, ...filmOptions(wish, info.step), v: version }),
  );
  return (
    <div class="film">
      {frames.length > 0 && (
        <label class="field">
          <span class="said">over</span>
          <select
            value={wish.over}
            onChange={(event) => {
              const over = event.currentTarget.value === 'frames' ? 'frames' : 'steps';
              change({ over, from: over === 'frames' ? 1 : (steps[0] ?? null), to: null });
            }}
          >
            <option value="steps">the {NOUNS[axis]}s</option>
            <option value="frames">the frames of {momentOf(info)}</option>
          </select>
        </label>
      )}
      {axis === 'time' && !isOverFrames ? (
        <>
          <TimeField label="from" value={wish.from} onPick={(from) => change({ from })} />
          <TimeField label="to" value={wish.to} empty="latest" onPick={(to) => change({ to })} />
        </>
      ) : (
        <>
          <NumberField label={`from ${one}`} value={wish.from} onPick={(from) => change({ from })} />
          <NumberField
            label={`to ${one}`}
            value={wish.to}
            empty={isOverFrames ? 'last' : 'latest'}
            onPick={(to) => change({ to })}
          />
        </>
      )}
      <NumberField label="every" value={wish.every} onPick={(every) => change({ every: every ?? 1 })} />
      <NumberField label={`${one}s a second`} value={wish.fps} onPick={(fps) => change({ fps: fps ?? 10 })} />
      <label class="field">
        <span class="said">form</span>
        <select value={wish.format} onChange={(event) => change({ format: event.currentTarget.value })}>
          {FORMATS.map(({ name, words }) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="said">{one === 'checkpoint' ? 'time' : one} above each picture</span>
        <input
          type="checkbox"
          checked={wish.stamp}
          onChange={(event) => change({ stamp: event.currentTarget.checked })}
        />
      </label>
      <p class="said" role="status">
        {problem ??
          `${count(frameCount(numbers, wish), 'picture')}, each enlarged ${choices.zoom}×, in the choices on show`}
      </p>
      {problem === null && (
        <p>
          <a class="button" href={address} download={`${tag.replaceAll('/', '-')}.${ending(wish.format)}`}>
            <Icon name="download" />
            Download
          </a>
        </p>
      )}
    </div>
  );
}

/** Programs expect animated PNG files to end in .png. */
const ending = (format: string): string => (format === 'apng' ? 'png' : format);

interface NumberFieldProps {
  label: string;
  value: number | null;
  /** What an empty box means; without it an empty box is ignored. */
  empty?: string;
  onPick: (value: number | null) => void;
}

/** Times are chosen from those that there are. */
function TimeField({ label, value, empty, onPick }: NumberFieldProps): JSX.Element {
  const steps = currentSteps.value;
  return (
    <label class="field">
      <span class="said">{label}</span>
      <select
        value={value ?? ''}
        onChange={(event) => onPick(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))}
      >
        {empty !== undefined && <option value="">{empty}</option>}
        {steps.map((step) => (
          <option key={step} value={step}>
            {stepWords('time', step, steps)}
          </option>
        ))}
      </select>
    </label>
  );
}

function NumberField({ label, value, empty, onPick }: NumberFieldProps): JSX.Element {
  return (
    <label class="field">
      <span class="said">{label}</span>
      <input
        type="number"
        step="any"
        placeholder={empty}
        value={value ?? ''}
        onInput={(event) => {
          const wanted = event.currentTarget.valueAsNumber;
          if (Number.isFinite(wanted)) onPick(wanted);
          else if (empty !== undefined) onPick(null);
        }}
      />
    </label>
  );
}
