/** The range: its name, and the number or the two numbers that it has. */
import type { JSX } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { plain } from '../model/format';
import { PARAMETERS, parseFixed, parseRange, rangeName } from '../model/ranges';
import { choicesOf, meaningOf, picked, pickFixed, pickParameter, pickRange } from '../state/menu-choices';
import { Select } from './choices';

export function RangeChoice(): JSX.Element {
  const range = picked('range');
  return (
    <>
      <Select
        label="range"
        values={choicesOf('range')}
        value={range === null ? null : rangeName(range)}
        meaning={(range) => meaningOf('range', range)}
        onPick={pickRange}
      />
      <FixedRange />
      <Parameter />
    </>
  );
}

/** The share of `percentile`, the number of deviations of `std`. */
function Parameter(): JSX.Element | null {
  const range = picked('range');
  const parsed = range === null ? null : parseRange(range);
  const parameter = parsed ? PARAMETERS[parsed.name] : undefined;
  const number = parsed?.numbers[0];
  if (!parsed || !parameter || number === undefined) return null;
  const { label, step, min, max } = parameter;
  return (
    <label class="select parameter" title={label}>
      <span class="unseen">{label}</span>
      <input
        type="number"
        step={step}
        min={min}
        max={max ?? undefined}
        value={plain(number)}
        onChange={(event) => {
          const wanted = event.currentTarget.valueAsNumber;
          if (Number.isFinite(wanted)) pickParameter(parsed.name, wanted);
          // A text that is not such a number is replaced by the present value.
          event.currentTarget.value = plain(parseRange(picked('range') ?? '')?.numbers[0] ?? number);
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
  // Before the first paint: a later effect could overwrite what was typed already.
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
        // When the focus moves from one box to the other, the range is only half typed.
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
