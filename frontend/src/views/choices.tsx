/** Controls that choose one of a few names. */
import type { JSX } from 'preact';

interface ChoiceProps {
  label: string;
  values: readonly string[];
  value: string | null;
  onPick: (value: string) => void;
}

export function Segments({ label, values, value, onPick }: ChoiceProps): JSX.Element {
  return (
    <fieldset class="segments" aria-label={label}>
      {values.map((one) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onPick(one)}>
          {one}
        </button>
      ))}
    </fieldset>
  );
}

interface SelectProps extends ChoiceProps {
  /** How a value is written in the menu; unchanged by default. */
  words?: (value: string) => string;
}

/** A menu whose label is for screen readers only. With fewer than two values there is no menu. */
export function Select({ label, values, value, onPick, words = (one) => one }: SelectProps): JSX.Element | null {
  if (values.length < 2) return null;
  return (
    <label class="select" title={label}>
      <span class="unseen">{label}</span>
      <select value={value ?? ''} onChange={(event) => onPick(event.currentTarget.value)}>
        {values.map((one) => (
          <option key={one} value={one}>
            {words(one)}
          </option>
        ))}
      </select>
    </label>
  );
}
