/** The choices above the stage, one click each. */
import type { JSX } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { parseFixed } from '../model/choose';
import { plain } from '../model/format';
import { axis, channelCount, hasTileASample } from '../model/layers';
import { goTo } from '../state/actions';
import { choicesOf, pick, picked, pickFixed, pickRange } from '../state/menu-choices';
import { currentSeries, state } from '../state/store';

interface ChoiceProps {
  label: string;
  values: readonly string[];
  value: string | null;
  onPick: (value: string) => void;
}

export function Segments({ label, values, value, onPick }: ChoiceProps): JSX.Element {
  return (
    <fieldset class="segments" aria-label={label}>
      {label !== 'view' && <span class="said">{label}</span>}
      {values.map((one) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onPick(one)}>
          {one}
        </button>
      ))}
    </fieldset>
  );
}

export function Select({ label, values, value, onPick }: ChoiceProps): JSX.Element {
  return (
    <label class="select">
      <span>{label}</span>
      <select value={value ?? ''} onChange={(event) => onPick(event.currentTarget.value)}>
        {values.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Menus(): JSX.Element {
  const range = picked('range')?.split(':')[0] ?? null;
  return (
    <div class="menus">
      <Segments label="view" values={choicesOf('view')} value={picked('view')} onPick={(view) => pick('view', view)} />
      <Extras />
      <Select label="range" values={choicesOf('range')} value={range} onPick={pickRange} />
      <FixedRange />
      <Segments label="scope" values={choicesOf('scope')} value={picked('scope')} onPick={(v) => pick('scope', v)} />
      <Select label="colours" values={choicesOf('cmap')} value={picked('cmap')} onPick={(cmap) => pick('cmap', cmap)} />
    </div>
  );
}

/** The number that some views need: which input channel, which sample, which channel of the samples. */
function Extras(): JSX.Element | null {
  const series = currentSeries.value;
  const address = state.address.value;
  if (!series) return null;
  const view = picked('view');
  if (view === 'slice') {
    const last = (axis(series, 'I') ?? 1) - 1;
    return <Count label="input" value={address.slice ?? 0} last={last} onPick={(slice) => goTo({ slice }, 'push')} />;
  }
  const samples = axis(series, 'N') ?? 1;
  if (view === 'maps' && samples > 1) {
    return (
      <Count
        label="sample"
        value={address.sample ?? 0}
        last={samples - 1}
        onPick={(n) => goTo({ sample: n }, 'push')}
      />
    );
  }
  // In colour all channels are shown at once.
  if (!hasTileASample(view) || picked('cmap') === 'rgb') return null;
  return (
    <Count
      label="channel"
      value={Number.parseInt(address.channels ?? '0', 10) || 0}
      last={(channelCount(series) ?? 1) - 1}
      onPick={(channel) => goTo({ channels: String(channel) }, 'push')}
    />
  );
}

interface CountProps {
  label: string;
  value: number;
  last: number;
  onPick: (value: number) => void;
}

function Count({ label, value, last, onPick }: CountProps): JSX.Element | null {
  if (last < 1) return null;
  return (
    <label class="select">
      <span>{label}</span>
      <input
        type="number"
        title={`0 to ${last}`}
        min={0}
        max={last}
        value={value}
        onChange={(event) => {
          const wanted = event.currentTarget.valueAsNumber;
          if (Number.isInteger(wanted)) onPick(Math.min(last, Math.max(0, wanted)));
        }}
      />
    </label>
  );
}

/** Two boxes for the numbers of a fixed range. */
function FixedRange(): JSX.Element | null {
  const range = picked('range');
  const fixed = range === null ? null : parseFixed(range);
  const [low, setLow] = useState('');
  const [high, setHigh] = useState('');
  // Before anybody can type: later it would put back what was typed at once.
  useLayoutEffect(() => {
    setLow(fixed ? plain(fixed.lo) : '');
    setHigh(fixed ? plain(fixed.hi) : '');
  }, [range]);
  if (!fixed) return null;
  const wrong = !(Number(low) < Number(high)) || low === '' || high === '';
  const apply = (): void => {
    // A box that goes away while it has the focus is blurred too: only a change of its numbers counts.
    const same = Number(low) === fixed.lo && Number(high) === fixed.hi;
    if (!wrong && !same) pickFixed(Number(low), Number(high));
  };
  const box = (name: string, text: string, set: (text: string) => void): JSX.Element => (
    <input
      type="text"
      inputMode="decimal"
      aria-label={name}
      aria-invalid={wrong}
      value={text}
      onInput={(event) => set(event.currentTarget.value)}
    />
  );
  return (
    <form
      class="fixed"
      onFocusOut={(event) => {
        // From one box to the other the range is only half typed.
        const next = event.relatedTarget;
        if (!(next instanceof Node && event.currentTarget.contains(next))) apply();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      {box('lowest value', low, setLow)}
      <span aria-hidden="true">…</span>
      {box('highest value', high, setHigh)}
      <button type="submit" class="unseen">
        Apply
      </button>
    </form>
  );
}
