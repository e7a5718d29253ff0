/** A button that is an icon: its words are its name and its tip. */
import type { JSX } from 'preact';
import { Icon, type IconName } from './icons';

interface PressProps {
  icon: IconName;
  words: string;
  off: boolean;
  onPress: () => void;
}

export function Press({ icon, words, off, onPress }: PressProps): JSX.Element {
  return (
    <button type="button" class="plain" aria-label={words} title={words} disabled={off} onClick={onPress}>
      <Icon name={icon} />
    </button>
  );
}
