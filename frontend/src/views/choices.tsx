/** Controls that choose one of a few names. */
import type { JSX } from 'preact';

interface ChoiceProps {
  label: string;
  values: readonly string[];
  value: string | null;
  /** What a value means, or what is chosen here where none is named; empty where nobody says. */
  meaning?: (value: string | null) => string;
  onPick: (value: string) => void;
}

const unsaid = (): string => '';

export function Segments({ label, values, value, meaning = unsaid, onPick }: ChoiceProps): JSX.Element {
  return (
    <fieldset class="segments" aria-label={label}>
      {values.map((one) => (
        <button
          key={one}
          type="button"
          title={meaning(one) || undefined}
          aria-pressed={one === value}
          onClick={() => onPick(one)}
        >
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
export function Select(props: SelectProps): JSX.Element | null {
  const { label, values, value, meaning = unsaid, onPick, words = (one) => one } = props;
  if (values.length < 2) return null;
  const title = [meaning(null) || label, value === null ? '' : meaning(value)].filter((text) => text !== '').join(': ');
  return (
    <label class="select" title={title}>
      <span class="unseen">{label}</span>
      <select value={value ?? ''} onChange={(event) => onPick(event.currentTarget.value)}>
        {values.map((one) => (
          <option key={one} value={one} title={meaning(one) || undefined}>
            {words(one)}
          </option>
        ))}
      </select>
    </label>
  );
}
