/** The line above the stage: what was corrected, and that the connection is lost. */
import type { JSX } from 'preact';
import { clearNote, navigation } from '../state/navigation';
import { surroundings } from '../state/surroundings';
import { Icon } from './icons';

export function Note(): JSX.Element {
  const note = navigation.note.value;
  const lost = surroundings.connection.value === 'lost';
  return (
    <div role="status" aria-live="polite">
      {lost && (
        <p class="note lost">
          <Icon name="warning" />
          <span>The connection to ConvScope is lost. The page shows the last data that arrived, and keeps trying.</span>
        </p>
      )}
      {note !== null && (
        <p class="note">
          <span>{note}</span>
          <button type="button" class="plain" aria-label="Dismiss" onClick={clearNote}>
            <Icon name="close" />
          </button>
        </p>
      )}
    </div>
  );
}
