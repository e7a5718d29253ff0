/** A button with an icon; its words are its label and its tooltip. */
import type { JSX } from 'preact';
import { Icon, type IconName } from './icons';

interface IconButtonProps {
  icon: IconName;
  words: string;
  off: boolean;
  onPress: () => void;
}

export function IconButton({ icon, words, off, onPress }: IconButtonProps): JSX.Element {
  return (
    <button type="button" class="plain" aria-label={words} title={words} disabled={off} onClick={onPress}>
      <Icon name={icon} />
    </button>
  );
}
