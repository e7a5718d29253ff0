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
  /** How a value is written in the menu; as it is where nothing is said. */
  words?: (value: string) => string;
}

/** A menu whose value speaks for itself: its label is for those who cannot see where it stands. Nothing to choose, no menu. */
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
